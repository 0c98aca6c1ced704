import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { encodeText } from '../../src/base/bytes.ts';
import { bcryptCost, createPasswordCheck, createVerifier, equalTexts } from '../../src/middlewares/password.ts';

const lines = readFileSync('test/fixtures/htpasswd/users', 'utf8').split('\n');
const verifyPassword = createVerifier({});
const hashOf = (name: string): string => lines.find((line) => line.startsWith(`${name}:`))!.slice(name.length + 1);

it.each([
  // What htpasswd wrote.
  ['bcrypt5', 'bcrypt5!', true],
  ['bcrypt10', 'bcrypt10!', true],
  ['apr1', 'apr1!', true],
  ['sha', 'sha!', true],
  ['empty', '', true],
  ['long', 'x'.repeat(120), true],
  ['umlaut', 'pässwörd', true],
  ['umlautapr', 'pässwörd', true],
  ['bcrypt5', 'bcrypt5', false],
  ['bcrypt5', '', false],
  ['apr1', 'apr1', false],
  ['long', 'x'.repeat(119), false],
  ['sha', 'SHA!', false],
  // Kinds that nobody checks: DES crypt and plain text.
  ['crypt', 'crypt!', false],
  ['plain', 'plain!', false],
])('%s with the password %s: %s', async (name, password, fits) => {
  expect(await verifyPassword(hashOf(name), encodeText(password))).toBe(fits);
});

it.each([
  ['$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1', true],
  ['$2a$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a', true],
  ['$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a', true],
  ['$2x$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a', true],
  ['$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a', true],
  ['$2b$05$short', false],
  ['$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.', false],
  ['', false],
])('%s is made of "secret": %s', async (hash, fits) => {
  expect(await verifyPassword(hash, encodeText('secret'))).toBe(fits);
});

it.each([
  [hashOf('bcrypt5'), 5],
  [hashOf('bcrypt10'), 10],
  [hashOf('apr1'), undefined],
])('the cost of %s is %s', (hash, cost) => {
  expect(bcryptCost(hash)).toBe(cost);
});

it('asks for a pair once, remembers what fits and forgets what does not', async () => {
  const asked: string[] = [];
  const check = createPasswordCheck(async (hash, password) => {
    asked.push(`${hash.slice(0, 6)} ${new TextDecoder().decode(password)}`);
    return password.length === 1;
  });
  const [one, other] = [hashOf('bcrypt5'), hashOf('apr1')];
  expect(await Promise.all([check(one, encodeText('a')), check(one, encodeText('a'))])).toEqual([true, true]);
  expect(await check(one, encodeText('a'))).toBe(true);
  expect(asked).toEqual(['$2y$05 a']);
  expect(await check(other, encodeText('a'))).toBe(true);
  expect(await check(one, encodeText('no'))).toBe(false);
  expect(await check(one, encodeText('no'))).toBe(false);
  expect(asked.slice(1)).toEqual(['$apr1$ a', '$2y$05 no', '$2y$05 no']);
});

it('remembers no more than a thousand', async () => {
  let count = 0;
  const check = createPasswordCheck(async () => ++count > 0);
  for (let i = 0; i <= 1000; i++) await check(hashOf('apr1'), encodeText(String(i)));
  await check(hashOf('apr1'), encodeText('1000'));
  expect(count).toBe(1001);
  await check(hashOf('apr1'), encodeText('0'));
  expect(count).toBe(1002);
});

it.each([
  ['', '', true],
  ['a', 'a', true],
  ['a', 'b', false],
  ['a', '', false],
  ['', 'a', false],
  ['aa', 'a', false],
])('"%s" equals "%s": %s', (a, b, equal) => {
  expect(equalTexts(a, b)).toBe(equal);
});
