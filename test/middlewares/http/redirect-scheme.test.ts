import { expect, it } from 'vitest';
import { redirectScheme } from '../../../src/middlewares/http/redirect-scheme.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

const tls = { serverName: 'x.test', version: '1.3', cipher: '', clientCertificates: [], options: 'default' };
const proto = (value: string) => ({ headers: [['X-Forwarded-Proto', value]] as const });

it.each([
  [{ scheme: 'https' }, { path: '/x', query: 'y=1' }, 302, 'https://x.test/x?y=1'],
  [{ scheme: 'https' }, { host: 'x.test:8080' }, 302, 'https://x.test/'],
  [{ scheme: 'https' }, { method: 'POST' }, 307, 'https://x.test/'],
  [{ scheme: 'https' }, { method: 'HEAD' }, 307, 'https://x.test/'],
  [{ scheme: 'https' }, { tls }, 200, undefined],
  [{ scheme: 'https' }, { tls, host: 'x.test:443' }, 200, undefined],
  [{ scheme: 'https' }, { tls, host: 'x.test:8443' }, 302, 'https://x.test/'],
  [{ scheme: 'https' }, proto('https'), 200, undefined],
  [{ scheme: 'https' }, proto('WSS'), 200, undefined],
  [{ scheme: 'https' }, { tls, ...proto('http') }, 302, 'https://x.test/'],
  [{ scheme: 'https' }, proto('bogus'), 302, 'https://x.test/'],
  [{ scheme: 'https', port: '8443', permanent: true }, { path: '/a%20b' }, 301, 'https://x.test:8443/a%20b'],
  [{ scheme: 'https', port: '8443', permanent: true }, { host: 'x.test:99', method: 'PUT' }, 308, 'https://x.test:8443/'],
  [{ scheme: 'https', port: '443' }, { path: '/x' }, 302, 'https://x.test/x'],
  [{ scheme: 'http', port: '8080' }, { path: '/x' }, 302, 'http://x.test:8080/x'],
  [{ scheme: 'http', port: '8080' }, { host: 'x.test:8080' }, 200, undefined],
  // Traefik answers 502 to an IPv6 host with a port: it loses the brackets.
  [{ scheme: 'https' }, { host: '[::1]:80', path: '/x' }, 302, 'https://[::1]/x'],
  [{ scheme: 'https' }, { host: '[::1]' }, 302, 'https://[::1]/'],
])('%j of %j answers %i %s', async (options, request, status, location) => {
  const answer = await build(redirectScheme, options).ask(request);
  expect([answer.status, answer.header('Location')]).toEqual([status, location]);
});

it.each([[{}], [{ scheme: '' }], [{ port: '8443' }]])('refuses %j', (options) => {
  expect(refusal(redirectScheme, options)).toBe("'scheme' is empty; write http or https");
});
