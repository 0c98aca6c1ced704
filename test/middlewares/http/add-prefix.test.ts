import { expect, it } from 'vitest';
import { addPrefix } from '../../../src/middlewares/http/add-prefix.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

it.each([
  // prefix, target → target
  ['/pre', '/', '/pre/'],
  ['/pre', '/x?y=1', '/pre/x?y=1'],
  ['/pre', '/a%2Fb', '/pre/a%2Fb'],
  ['pre', '/x', '/pre/x'],
  ['/a b', '/x', '/a%20b/x'],
  ['/a b', '/%20', '/a%20b/%20'],
  ['/a%20b', '/x', '/a%2520b/x'],
  ['/é', '/x', '/%C3%A9/x'],
  // Traefik sends /a%20b//x here: it decodes the client's slash.
  ['/a b', '/%2Fx', '/a%20b/%2Fx'],
])('%s before %s is %s', async (prefix, target, expected) => {
  const { ask, seen } = build(addPrefix, { prefix });
  const [path, query] = target.split('?') as [string, string?];
  await ask({ path, query });
  expect(seen[0]!.line).toBe(`GET ${expected}`);
});

it.each([[{}], [{ prefix: '' }]])('refuses %j', (options) => {
  expect(refusal(addPrefix, options)).toBe("'prefix' is empty; write what is put before the path, as /api");
});
