import type { JWK } from 'jose';
import { readCode } from '../../config/codes.ts';
import type { EnrolRequest } from '../../config/hub-protocol.ts';
import { checkPublisherName } from '../../config/publication.ts';
import { hashBody, isSignedBy, readClaims, type Token } from '../../config/publisher-token.ts';
import { Refusal } from './refusal.ts';
import type { HubStorage } from './storage.ts';

/** What a signed request brings. */
export interface SignedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authorization: string | null;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A publisher's clock may be off before it is told the time: it sets itself right and comes again. */
const CLOCK_LEEWAY_MS = 60_000;

/**
 * The name of the publisher that signed the request. Throws Refusal. Times of tokens only grow: that one number a publisher keeps
 * every token from counting twice, for one write a request.
 */
export async function authenticate(storage: HubStorage, request: SignedRequest, now: number): Promise<string> {
  const token = readClaims(request.authorization);
  if (token === undefined) throw new Refusal('unauthorized', 'The request has no token');
  const { iss, time } = token.claims;
  const [row] = storage.sql('SELECT key FROM publishers WHERE name = ?', iss);
  if (row === undefined) throw new Refusal('unknown-publisher', `There is no publisher '${iss}'`);
  await checkToken(token, JSON.parse(row.key as string) as JWK, request, now);
  // From here on nothing is waited for, so of two equal tokens one is refused.
  const [current] = storage.sql('SELECT token_at FROM publishers WHERE name = ? AND key = ?', iss, row.key!);
  const after = (current?.token_at ?? Number.POSITIVE_INFINITY) as number;
  if (time <= after) throw new Refusal('replay', 'A token of this time or a later one was used already', { after });
  storage.sql('UPDATE publishers SET token_at = ?, seen_at = ? WHERE name = ?', time, now, iss);
  return iss;
}

async function checkToken({ jws, claims }: Token, key: JWK, { method, path, body }: SignedRequest, now: number): Promise<void> {
  if (!(await isSignedBy(jws, key))) throw new Refusal('unauthorized', 'The token is not signed with the enrolled key');
  if (claims.method !== method || claims.path !== path || claims.body !== (await hashBody(body)))
    throw new Refusal('unauthorized', 'The token is for another request');
  if (!(Math.abs(claims.time - now) <= CLOCK_LEEWAY_MS)) throw new Refusal('clock', 'The time of the token is too far from the time here');
}

/** Pins the key of a new publisher, or of one that may be replaced. Throws Refusal. */
export async function enrol(
  storage: HubStorage,
  { code: text, name, kind, key }: EnrolRequest,
  request: SignedRequest,
  adminKey: string,
  now: number,
): Promise<void> {
  // First: who has no code is told nothing else.
  const code = await readCode(adminKey, 'enrol', text, now);
  if (code === undefined) throw new Refusal('unauthorized', "The code is wrong or has expired; 'edgeway edge codes' makes a new one");
  const problem = checkPublisherName(name);
  if (problem !== undefined) throw new Refusal('malformed', problem);
  if (kind !== 'agent' && kind !== 'sync') throw new Refusal('malformed', 'A publisher is an agent or sync');
  if (key?.kty !== 'OKP' || key.crv !== 'Ed25519' || typeof key.x !== 'string')
    throw new Refusal('malformed', 'The key is no public Ed25519 key');
  if (code.name !== undefined && code.name !== name) throw new Refusal('unauthorized', `The code is for '${code.name}', not for '${name}'`);
  const read = readClaims(request.authorization);
  const pinned: JWK = { kty: 'OKP', crv: 'Ed25519', x: key.x, alg: 'EdDSA' };
  if (read === undefined || read.claims.body !== (await hashBody(request.body)) || !(await isSignedBy(read.jws, pinned)))
    throw new Refusal('unauthorized', 'The request is not signed with the key that it names');

  storage.transaction(() => {
    if (isUsed(storage, code.id)) throw new Refusal('unauthorized', "The code was used already; 'edgeway edge codes' makes a new one");
    const [known] = storage.sql('SELECT key FROM publishers WHERE name = ?', name);
    if (known !== undefined && !code.replace && (JSON.parse(known.key as string) as JWK).x !== key.x)
      throw new Refusal('taken', `'${name}' is enrolled with another key; choose another name, or make a code with --replace ${name}`);
    use(storage, code.id, code.expiresAt);
    storage.sql(
      `INSERT INTO publishers (name, kind, key, enrolled_at, token_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, key = excluded.key, enrolled_at = excluded.enrolled_at`,
      name,
      kind,
      JSON.stringify(pinned),
      now,
      // Tokens that were made for an enrolled key before now are of no use to whoever kept them.
      Math.min(read.claims.time, now),
    );
  });
}

/** Counts an `admin` code and gives back whose it is. Throws Refusal. */
export async function useAdminCode(storage: HubStorage, text: string, adminKey: string, now: number): Promise<void> {
  const code = await readCode(adminKey, 'admin', text, now);
  if (code === undefined)
    throw new Refusal('unauthorized', "The admin token is wrong or has expired; 'edgeway edge init --admin' makes a new one");
  if (isUsed(storage, code.id))
    throw new Refusal('unauthorized', "The admin token was used already; 'edgeway edge init --admin' makes a new one");
  use(storage, code.id, code.expiresAt);
}

const isUsed = (storage: HubStorage, id: string): boolean => storage.sql('SELECT 1 FROM used_codes WHERE id = ?', id).length > 0;

function use(storage: HubStorage, id: string, expiresAt: number): void {
  storage.sql('INSERT INTO used_codes (id, expires_at) VALUES (?, ?)', id, expiresAt);
}

export function forgetExpiredCodes(storage: HubStorage, now: number): void {
  storage.sql('DELETE FROM used_codes WHERE expires_at < ?', now);
}
