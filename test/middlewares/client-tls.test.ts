import { expect, it } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { type ClientTls, readClientTls } from '../../src/middlewares/client-tls.ts';
import type { MiddlewarePlatform } from '../../src/middlewares/middleware.ts';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n';
const files: Record<string, string> = { '/ca.pem': CERTIFICATE, '/c.pem': CERTIFICATE, '/k.pem': KEY, '/empty.pem': '' };
const platform: MiddlewarePlatform = {
  readFile(path) {
    if (files[path] !== undefined) return files[path];
    throw new ConfigError('config.io', `'${path}' cannot be read: ENOENT`);
  },
};

it.each<[ClientTls, ClientTls]>([
  [{ insecureSkipVerify: true }, { insecureSkipVerify: true }],
  [{ ca: CERTIFICATE }, { ca: CERTIFICATE }],
  [
    { ca: '', cert: CERTIFICATE, key: KEY },
    { cert: CERTIFICATE, key: KEY },
  ],
  [
    { ca: '/ca.pem', cert: '/c.pem', key: '/k.pem' },
    { ca: CERTIFICATE, cert: CERTIFICATE, key: KEY },
  ],
])('reads %j', (tls, expected) => expect(readClientTls(tls, 'tls', platform)).toEqual(expected));

it.each<[ClientTls, string]>([
  [{ cert: CERTIFICATE }, "'tls' has 'cert' alone; write 'cert' and 'key'"],
  [{ key: KEY }, "'tls' has 'key' alone; write 'cert' and 'key'"],
  [{ ca: '/nowhere.pem' }, "'tls.ca' is neither PEM nor a file that can be read"],
  [{ ca: '/empty.pem' }, "'tls.ca' holds no certificate in PEM"],
  [{ ca: KEY }, "'tls.ca' holds no certificate in PEM"],
  [{ cert: 'a\nb', key: KEY }, "'tls.cert' holds no certificate in PEM"],
  [{ cert: CERTIFICATE, key: 'secret' }, "'tls.key' is neither PEM nor a file that can be read"],
  [{ cert: CERTIFICATE, key: CERTIFICATE }, "'tls.key' holds no private key in PEM"],
])('refuses %j: %s', (tls, message) => {
  expect(() => readClientTls(tls, 'tls', platform)).toThrow(expect.objectContaining({ message }));
});

it('leaves files to whoever can read them', () => {
  expect(() => readClientTls({ ca: '/ca.pem' }, 'tls', {})).toThrow(expect.objectContaining({ code: 'config.io' }));
});
