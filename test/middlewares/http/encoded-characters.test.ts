import { expect, it } from 'vitest';
import { encodedCharacters } from '../../../src/middlewares/http/encoded-characters.ts';
import { build } from '../../support/middleware-harness.ts';

const OPTIONS = {
  '%2F': 'allowEncodedSlash',
  '%5C': 'allowEncodedBackSlash',
  '%00': 'allowEncodedNullCharacter',
  '%3B': 'allowEncodedSemicolon',
  '%25': 'allowEncodedPercent',
  '%3F': 'allowEncodedQuestionMark',
  '%23': 'allowEncodedHash',
};
const CASES = Object.entries(OPTIONS).flatMap(([code, option]) => [[code, option] as const, [code.toLowerCase(), option] as const]);

it.each(CASES)('%s passes with %s only', async (code, option) => {
  const others = Object.fromEntries(Object.values(OPTIONS).map((name) => [name, name !== option]));
  expect(await build(encodedCharacters, others).ask({ path: `/a${code}b` })).toMatchObject({
    status: 400,
    body: '',
    headers: [['Content-Length', '0']],
  });
  expect((await build(encodedCharacters, { [option]: true }).ask({ path: `/a${code}b` })).status).toBe(200);
});

it.each([
  [{ path: '/a%20b' }, 200],
  [{ path: '/', query: 'x=%25' }, 200],
  [{ path: '/%252F' }, 400],
  [{ path: '/%2' }, 400],
  [{ path: '/%' }, 400],
])('%j answers %i by default', async (request, status) => {
  expect((await build(encodedCharacters, { allowEncodedHash: true }).ask(request)).status).toBe(status);
});
