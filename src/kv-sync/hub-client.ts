import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import {
  type EnrolRequest,
  HUB_PATHS,
  HUB_TIME_FIELD,
  type HubErrorBody,
  type HubErrorCode,
  type HubKeys,
  type PingAnswer,
  type PublishAnswer,
  type PublisherKind,
} from '../config/hub-protocol.ts';
import type { Publication, PublicationManifest } from '../config/publication.ts';
import { signToken } from '../config/publisher-token.ts';
import type { Identity } from './identity.ts';

/** The hub refused. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;
  readonly body: HubErrorBody;
  constructor(body: HubErrorBody) {
    super(body.message);
    this.code = body.code;
    this.body = body;
  }
}

/** Requests of one publisher, signed and one after the other. Everything rejects with HubError, or TypeError when the hub is away. */
export interface HubClient {
  enrol(code: string, kind: PublisherKind): Promise<HubKeys>;
  keys(): Promise<HubKeys>;
  ping(down: readonly string[]): Promise<PingAnswer>;
  /** Uploads what the hub lacks. */
  publish(publication: Publication): Promise<PublishAnswer>;
  /** What the hub has of this publisher. */
  publication(): Promise<PublicationManifest | undefined>;
  shard(hash: string): Promise<string>;
  /** Milliseconds since the epoch by the hub's clock, as far as it is known. */
  hubNow(): number;
}

export interface HubClientOptions {
  /** Origin of the control host, as `parseHubUrl` gives it. */
  readonly url: string;
  readonly name: string;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
  /** Ends requests that are under way. */
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 30_000;
/** Texts of one upload; the hub takes 4 MiB. */
const BATCH_BYTES = 3_000_000;

export function createHubClient({ url, name, identity, clock, fetch: send = fetch, signal }: HubClientOptions): HubClient {
  let offsetMs = 0;
  let lastTime = 0;
  let last: Promise<unknown> = Promise.resolve();

  const hubNow = (): number => clock.now() + offsetMs;

  /** One after the other: the time of tokens must grow at the hub too. */
  function request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const turn = last.then(() => attempt<T>(method, path, body));
    last = turn.catch(() => {});
    return turn;
  }

  async function attempt<T>(method: string, path: string, body: unknown, triesLeft = 2): Promise<T> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const time = (lastTime = Math.max(lastTime + 1, Math.round(hubNow())));
    const claims = { iss: name, method, path, body: createHash('sha256').update(text).digest('base64url'), time, jti: randomUUID() };
    const authorization = await signToken(claims, { ...identity.privateKey, alg: 'EdDSA' });
    const timeout = new AbortController();
    const stop = clock.after(TIMEOUT_MS, () => timeout.abort(new TypeError(`The hub did not answer in ${TIMEOUT_MS / 1000} s`)));
    const sentAt = clock.now();
    try {
      const response = await send(url + path, {
        method,
        headers: { Authorization: authorization, ...(text !== '' && { 'Content-Type': 'application/json' }) },
        ...(text !== '' && { body: text }),
        signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
        redirect: 'manual',
      });
      learnTime(response.headers.get(HUB_TIME_FIELD), sentAt);
      const answer = await response.text();
      if (response.ok) return (response.headers.get('Content-Type')?.includes('json') ? JSON.parse(answer) : answer) as T;
      throw toHubError(response.status, answer);
    } catch (error) {
      if (triesLeft === 0 || !(error instanceof HubError)) throw error;
      // A token of a wrong time did not count, so the next one need not be later.
      if (error.code === 'clock') lastTime = 0;
      else if (error.code === 'replay') lastTime = Math.max(lastTime, error.body.after ?? 0);
      else throw error;
      return attempt<T>(method, path, body, triesLeft - 1);
    } finally {
      stop();
    }
  }

  /** As if the hub had looked at its clock half-way. */
  function learnTime(value: string | null, sentAt: number): void {
    const time = Number(value ?? Number.NaN);
    if (Number.isFinite(time)) offsetMs = time - (sentAt + clock.now()) / 2;
  }

  async function publish({ manifest, texts }: Publication): Promise<PublishAnswer> {
    for (let round = 0; ; round++) {
      try {
        return await request<PublishAnswer>('PUT', HUB_PATHS.publication, manifest);
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== 'missing' || round >= 3) throw error;
        for (const batch of batches(error.body.missing ?? [], texts)) await request('POST', HUB_PATHS.shards, batch);
      }
    }
  }

  return {
    enrol: (code, kind) => {
      const { kty, crv, x } = identity.publicKey;
      return request('POST', HUB_PATHS.enrol, { code, name, kind, key: { kty, crv, x } } as EnrolRequest);
    },
    keys: () => request('GET', HUB_PATHS.keys),
    ping: (down) => request('POST', HUB_PATHS.ping, { down }),
    publish,
    publication: async () => (await request<{ manifest: PublicationManifest | null }>('GET', HUB_PATHS.publication)).manifest ?? undefined,
    shard: (hash) => request('GET', `${HUB_PATHS.shards}/${hash}`),
    hubNow,
  };
}

function* batches(hashes: readonly string[], texts: ReadonlyMap<string, string>): Generator<Record<string, string>> {
  let batch: Record<string, string> = {};
  let bytes = 0;
  for (const hash of hashes) {
    const text = texts.get(hash);
    if (text === undefined) continue;
    const size = Buffer.byteLength(JSON.stringify(text)) + hash.length + 8;
    if (bytes > 0 && bytes + size > BATCH_BYTES) {
      yield batch;
      batch = {};
      bytes = 0;
    }
    batch[hash] = text;
    bytes += size;
  }
  if (bytes > 0) yield batch;
}

function toHubError(status: number, answer: string): Error {
  try {
    const body = JSON.parse(answer) as HubErrorBody;
    if (typeof body.code === 'string') return new HubError(body);
  } catch {
    // Somebody before the hub answered.
  }
  return new TypeError(`The hub's address answered ${status}: ${answer.slice(0, 200)}`);
}
