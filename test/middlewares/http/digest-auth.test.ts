import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createLocalCells } from '../../../src/base/cells.ts';
import { digestAuth } from '../../../src/middlewares/http/digest-auth.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { type Ask, build, makeRequest, refusal } from '../../support/middleware-harness.ts';

const platform = { readFile: (path: string) => readFileSync(path, 'utf8') };
const usersFile = 'test/fixtures/htpasswd/digest-users';
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

interface Proof {
  user?: string;
  password?: string;
  realm?: string;
  method?: string;
  uri?: string;
  nc?: string;
  ha1?: string;
  change?: (header: string) => string;
}

/** The Authorization of a client that answers the challenge (RFC 7616 §3.4.1). */
function prove(
  challenge: string,
  { user = 'bob', password = 'secret', realm = 'traefik', method = 'GET', uri = '/x?y', nc = '00000001', ha1, change }: Proof = {},
): string {
  const of = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)![1]!;
  const proof = md5([ha1 ?? md5(`${user}:${realm}:${password}`), of('nonce'), nc, 'abc', 'auth', md5(`${method}:${uri}`)].join(':'));
  const header = `Digest username="${user}", realm="${realm}", nonce="${of('nonce')}", uri="${uri}", algorithm=MD5, response="${proof}", opaque="${of('opaque')}", qop=auth, nc=${nc}, cnonce="abc"`;
  return change?.(header) ?? header;
}

const target: Ask = { path: '/x', query: 'y' };
const withAuth = (value: string, rest: Ask = target): Ask => ({ ...rest, headers: [['Authorization', value]] });

it('challenges whoever has no right answer', async () => {
  const { ask } = build(digestAuth, { usersFile }, { platform });
  for (const request of [{}, withAuth('Basic xx'), withAuth('Digest username="bob"')]) {
    const answer = await ask(request);
    expect(answer).toMatchObject({ status: 401, body: '401 Unauthorized\n' });
    expect(answer.headers.map(([name]) => name)).toEqual(['Content-Type', 'Www-Authenticate', 'Content-Length']);
    expect(answer.header('Www-Authenticate')).toMatch(
      /^Digest realm="traefik", nonce="[^"]+", opaque="[^"]+", algorithm="MD5", qop="auth"$/,
    );
  }
});

it.each<[string, Proof, number]>([
  ['the password', {}, 200],
  ['another password', { password: 'wrong' }, 401],
  ['a user of another realm', { user: 'eve', realm: 'other' }, 401],
  // Traefik takes the hash of an unknown user for the empty text, so that anybody can prove it.
  ['an unknown user with an empty hash', { user: 'nobody', ha1: '' }, 401],
  ['no user', { user: '', ha1: '' }, 401],
  ['another method', { method: 'POST' }, 401],
  ['another target', { uri: '/z' }, 401],
  ['a longer target', { uri: '/x/y' }, 401],
  ['the path alone', { uri: '/x' }, 200],
  ['no algorithm', { change: (header) => header.replace(' algorithm=MD5,', '') }, 200],
  ['another algorithm', { change: (header) => header.replace('MD5', 'SHA-256') }, 401],
  ['another qop', { change: (header) => header.replace('qop=auth', 'qop=auth-int') }, 401],
  ['another opaque', { change: (header) => header.replace(/opaque="[^"]+"/, 'opaque="x"') }, 401],
  ['a nonce of nobody', { change: (header) => header.replace(/nonce="[^"]+"/, 'nonce="x"') }, 401],
  ['no count', { nc: '' }, 401],
  ['the scheme in lower case', { change: (header) => header.replace('Digest', 'digest') }, 200],
])('proving %s: %#', async (_, proof, status) => {
  const { ask } = build(digestAuth, { usersFile }, { platform });
  const challenge = (await ask(target)).header('Www-Authenticate')!;
  expect((await ask(withAuth(prove(challenge, proof)))).status).toBe(status);
});

it('takes an answer once, asks anew where one comes late, and lives an hour', async () => {
  const clock = createManualClock();
  const { ask } = build(digestAuth, { usersFile }, { platform, clock });
  const challenge = (await ask(target)).header('Www-Authenticate')!;
  const statuses: (number | string)[] = [];
  for (const nc of ['00000002', '00000002', '00000001', '0000000a']) {
    const answer = await ask(withAuth(prove(challenge, { nc })));
    statuses.push(answer.status, answer.header('Www-Authenticate')?.includes('stale="true"') ? 'stale' : '');
  }
  expect(statuses).toEqual([200, '', 401, '', 401, 'stale', 200, '']);
  await clock.advance(3_600_001);
  expect((await ask(withAuth(prove(challenge, { nc: '0000000b' })))).header('Www-Authenticate')).toContain('stale="true"');
});

it('takes the answer to another thread’s challenge', async () => {
  const shared = { platform, sharedCells: createLocalCells(), clock: createManualClock() };
  const one = build(digestAuth, { usersFile }, shared);
  const other = build(digestAuth, { usersFile }, shared);
  const answer = prove((await one.ask(target)).header('Www-Authenticate')!);
  expect((await other.ask(withAuth(answer))).status).toBe(200);
  expect((await one.ask(withAuth(answer))).status).toBe(401);
});

it('tells the server the name and hides the answer', async () => {
  const { ask, run, seen } = build(digestAuth, { usersFile, headerField: 'x-User', removeHeader: true }, { platform });
  const challenge = (await ask(target)).header('Www-Authenticate')!;
  const request = makeRequest({
    ...target,
    headers: [
      ['Authorization', prove(challenge)],
      ['X-User', 'forged'],
    ],
  });
  await run(request);
  expect(seen[0]!.headers).toEqual([['x-User', 'bob']]);
  expect(request.facts.clientUsername).toBe('bob');
});

it.each([
  [{ users: [] }, undefined],
  [{ realm: 'x' }, undefined],
  [{ users: ['bob:hash'] }, "user 1 ('bob') has 2 of 3 fields; write name:realm:hash"],
])('%j: %s', (options, message) => {
  expect(refusal(digestAuth, options)).toBe(message);
});
