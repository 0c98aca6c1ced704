import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import {
  type CodesRequest,
  HUB_PATHS,
  type HubErrorBody,
  type HubStatus,
  type RevisionDiff,
  type RevisionSummary,
} from '../config/hub-protocol.ts';
import { HubError } from './hub-client.ts';
import { writePrivateFile } from './private-file.ts';

/** An operator's session at a hub. */
export interface Session {
  readonly hub: string;
  readonly session: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What operators ask of the hub. Everything rejects with HubError, or TypeError when the hub is away. */
export interface OperatorClient {
  status(): Promise<HubStatus>;
  history(limit: number): Promise<RevisionSummary[]>;
  diff(from: number, to: number): Promise<RevisionDiff>;
  rollback(revision: number): Promise<HubStatus>;
  release(): Promise<HubStatus>;
  codes(wanted: CodesRequest): Promise<string[]>;
  remove(publisher: string): Promise<HubStatus>;
}

export function createOperatorClient({ hub, session }: Pick<Session, 'hub' | 'session'>, send: typeof fetch = fetch): OperatorClient {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => ask<T>(send, hub, method, path, body, session);
  return {
    status: () => call('GET', HUB_PATHS.status),
    history: (limit) => call('GET', `${HUB_PATHS.history}?limit=${limit}`),
    diff: (from, to) => call('GET', `${HUB_PATHS.diff}?from=${from}&to=${to}`),
    rollback: (revision) => call('POST', HUB_PATHS.rollback, { revision }),
    release: () => call('POST', HUB_PATHS.release, {}),
    codes: async (wanted) => (await call<{ codes: string[] }>('POST', HUB_PATHS.codes, wanted)).codes,
    remove: (publisher) => call('DELETE', `${HUB_PATHS.publishers}/${encodeURIComponent(publisher)}`),
  };
}

/** Trades the one-time admin token for a session. */
export async function openSession(hub: string, code: string, name: string, send: typeof fetch = fetch): Promise<Session> {
  const answer = await ask<{ session: string; expiresAt: number }>(send, hub, 'POST', HUB_PATHS.session, { code, name });
  return { hub, ...answer };
}

const TIMEOUT_MS = 30_000;

async function ask<T>(send: typeof fetch, hub: string, method: string, path: string, body?: unknown, session?: string): Promise<T> {
  const response = await send(hub + path, {
    method,
    headers: {
      ...(session !== undefined && { Authorization: `Bearer ${session}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  try {
    const refused = JSON.parse(text) as HubErrorBody;
    if (typeof refused.code === 'string') throw new HubError(refused);
  } catch (error) {
    if (error instanceof HubError) throw error;
  }
  throw new TypeError(`${hub} answered ${response.status}; is it the control host of the Worker?`);
}

const FILE = 'operator.json';

/** Throws ConfigError `config.missing` when nobody is logged in. */
export function readSession(directory: string, now: number): Session {
  let session: Session;
  try {
    session = JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as Session;
  } catch {
    throw new ConfigError(
      'config.missing',
      `Nobody is logged in here; run 'edgeway edge login --hub URL' with the admin token of 'edgeway edge init'`,
    );
  }
  if (session.expiresAt <= now)
    throw new ConfigError(
      'config.missing',
      `The session has expired; make an admin token with 'edgeway edge init --only admin' and run 'edgeway edge login'`,
    );
  return session;
}

export function keepSession(directory: string, session: Session): void {
  writePrivateFile(join(directory, FILE), `${JSON.stringify(session, null, 2)}\n`);
}
