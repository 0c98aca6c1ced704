import type { HubErrorBody, HubErrorCode } from '../../config/hub-protocol.ts';

const STATUS: Record<HubErrorCode, number> = {
  malformed: 400,
  unauthorized: 401,
  'unknown-publisher': 401,
  clock: 401,
  replay: 401,
  taken: 409,
  missing: 409,
  stale: 409,
  limit: 413,
  'not-found': 404,
  internal: 500,
};

/** The hub refuses; what the caller is told. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly body: HubErrorBody;
  constructor(code: HubErrorCode, message: string, more: Partial<HubErrorBody> = {}) {
    super(message);
    this.status = STATUS[code];
    this.body = { code, message, ...more };
  }
}
