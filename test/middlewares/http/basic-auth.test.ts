import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createLogger, type LogLine } from '../../../src/base/log.ts';
import { basicAuth } from '../../../src/middlewares/http/basic-auth.ts';
import { runsAtEdge } from '../../../src/middlewares/middleware.ts';
import { build, makeRequest, refusal } from '../../support/middleware-harness.ts';

const SHA = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='; // secret
const basic = (text: string) => ({
  headers: [['Authorization', `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`]] as [string, string][],
});
const platform = { readFile: (path: string) => readFileSync(path, 'utf8') };

it.each([
  ['bcrypt5', 'bcrypt5!', 200],
  ['apr1', 'apr1!', 200],
  ['sha', 'sha!', 200],
  ['umlaut', 'pässwörd', 200],
  ['empty', '', 200],
  ['plain', 'plain!', 401],
  ['crypt', 'crypt!', 401],
  ['nobody', 'x', 401],
])('user %s of a file that htpasswd wrote: %i', async (user, password, status) => {
  const { ask } = build(basicAuth, { usersFile: 'test/fixtures/htpasswd/users' }, { platform });
  expect((await ask(basic(`${user}:${password}`))).status).toBe(status);
});

const header = (value: string) => ({ headers: [['Authorization', value]] as [string, string][] });
it.each([
  ['right', basic('bob:secret'), 200],
  ['right in any case of the scheme', header(`bASIC ${btoa('bob:secret')}`), 200],
  ['no credentials', {}, 401],
  ['a wrong password', basic('bob:wrong'), 401],
  ['a name in another case', basic('Bob:secret'), 401],
  ['an unknown name', basic('eve:secret'), 401],
  ['no base64', header('Basic !!!'), 401],
  ['base64 without padding', header(`Basic ${btoa('bob:secret').replace(/=+$/, '')}`), 401],
  ['no colon', basic('bob'), 401],
  ['another scheme', header('Bearer x'), 401],
  ['an empty scheme', header('Basic'), 401],
])('%s: %#', async (_, request, status) => {
  const { ask, seen } = build(basicAuth, { users: [`bob:${SHA}`] });
  const answer = await ask(request);
  expect(answer.status).toBe(status);
  expect(seen).toHaveLength(status === 200 ? 1 : 0);
  if (status === 401)
    expect(answer).toMatchObject({
      headers: [
        ['Content-Type', 'text/plain'],
        ['Www-Authenticate', 'Basic realm="traefik"'],
        ['Content-Length', '17'],
      ],
      body: '401 Unauthorized\n',
    });
});

it('lets users win over the file, and the last of one name', async () => {
  const file = () => `# c\n\nbob:{SHA}wrong\neve:${SHA}\n`;
  const { ask } = build(basicAuth, { usersFile: 'f', users: [`bob:${SHA}`] }, { platform: { readFile: file } });
  expect((await ask(basic('bob:secret'))).status).toBe(200);
  expect((await ask(basic('eve:secret'))).status).toBe(200);
});

describe('realm, headerField and removeHeader', () => {
  const options = { users: [`bøb:${SHA}`], realm: 'My "Realm"', headerField: 'x-webauth-User', removeHeader: true };

  it('names the realm as a quoted string', async () => {
    // Traefik leaves the quotes bare, which no client can read.
    expect((await build(basicAuth, options).ask()).header('Www-Authenticate')).toBe('Basic realm="My \\"Realm\\""');
  });

  it('tells the server the name in the spelling of the option, and nothing else', async () => {
    const { ask, seen } = build(basicAuth, options);
    await ask({ headers: [...basic('bøb:secret').headers, ['X-WebAuth-User', 'forged']] });
    expect(seen[0]!.headers).toEqual([['x-webauth-User', 'bÃ¸b']]);
  });

  it('keeps the credentials by default', async () => {
    const { ask, seen } = build(basicAuth, { users: [`bob:${SHA}`] });
    await ask(basic('bob:secret'));
    expect(seen[0]!.headers).toEqual(basic('bob:secret').headers);
  });
});

it.each([
  ['bøb:secret', 'bøb'],
  ['eve:wrong', 'eve'],
])('writes the name of %s into the facts', async (credentials, name) => {
  const request = makeRequest(basic(credentials));
  await build(basicAuth, { users: [`bøb:${SHA}`] }).run(request);
  expect(request.facts.clientUsername).toBe(name);
});

it('warns of a hash that nobody can log in with, without showing it', () => {
  const lines: LogLine[] = [];
  build(basicAuth, { users: ['bob:plain'] }, { log: createLogger((line) => lines.push(line)) });
  expect(lines).toEqual([
    { level: 'WARN', message: 'The hash of a user is of no known kind, so nobody can log in with it', fields: { user: 'bob' } },
  ]);
});

it.each([
  [{}, "there are no users; write 'users' (htpasswd -nB name) or 'usersFile'"],
  [{ users: [] }, "there are no users; write 'users' (htpasswd -nB name) or 'usersFile'"],
  [{ users: ['nocolon'] }, 'user 1 has 1 of 2 fields; write name:hash'],
  [{ users: ['bob:{SHA}x', 'eve:realm:hash'] }, "user 2 ('eve') has 3 of 2 fields; write name:hash"],
  [{ usersFile: 'f' }, "'usersFile' cannot be read here; write the users inline"],
])('refuses %j: %s', (options, message) => {
  expect(refusal(basicAuth, options)).toBe(message);
});

it('names the line of a file', () => {
  expect(refusal(basicAuth, { usersFile: '/u' }, { platform: { readFile: () => '#\nbob:{SHA}x\nbad' } })).toBe(
    "line 3 of '/u' has 1 of 2 fields; write name:hash",
  );
});

it.each([
  [{ users: [`bob:${SHA}`, 'eve:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/'] }, true],
  [{ users: ['bob:$2y$05$KhrXvIMtcrhyjrCBHh4Y5uf6H9DjDUfkpORJQDdPE9phlom5TEyWa'] }, true],
  [
    { users: [`bob:${SHA}`, 'eve:$2y$10$no.6niVi/0TTpzUUy8j/G.rwyZgg.zAayXtRB4.jhupjGKx8KA40O'] },
    'bcrypt of cost 10 takes more CPU than a Worker may have; 5 is the most',
  ],
  [{ usersFile: '/u' }, 'usersFile lies on the agent’s host'],
])('%j at the edge: %s', (options, expected) => {
  expect(runsAtEdge(basicAuth, options)).toBe(expected);
});
