import { afterAll, expect, it } from 'vitest';
import { createBcrypt } from '../../src/origin-agent/bcrypt.ts';

const bcrypt = createBcrypt();
afterAll(() => bcrypt.close());

// htpasswd's, cost 10.
const HASH = '$2y$10$no.6niVi/0TTpzUUy8j/G.rwyZgg.zAayXtRB4.jhupjGKx8KA40O';

it('answers each question, in whatever number', async () => {
  const passwords = ['bcrypt10!', 'no', 'bcrypt10!', ''];
  expect(await Promise.all(passwords.map((password) => bcrypt.verify(password, HASH)))).toEqual([true, false, true, false]);
});

it('lets the asking thread go on', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await Promise.all(Array.from({ length: 5 }, () => bcrypt.verify('no', HASH)));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(20);
});

it('begins anew after its thread ended', async () => {
  const pending = bcrypt.verify('no', HASH);
  bcrypt.close();
  await expect(pending).rejects.toThrow('The bcrypt thread ended');
  expect(await bcrypt.verify('bcrypt10!', HASH)).toBe(true);
});
