import { ConfigError } from '../base/errors.ts';
import { boolean, string } from '../base/schema.ts';
import type { MiddlewarePlatform } from './middleware.ts';

/** Fields of a TLS client towards a server of no service (auth server, Redis). */
export const clientTlsFields = {
  ca: string('PEM file or content of the authorities that are trusted instead of the system’s.', { fileOrContent: true }),
  cert: string('PEM file or content of the certificate shown to the server.', { fileOrContent: true }),
  key: string('PEM file or content of the private key of `cert`.', { fileOrContent: true, secret: true }),
  insecureSkipVerify: boolean('Trusts any certificate.'),
} as const;

export interface ClientTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;

/** With PEM in the place of paths, which labels still have. Throws ConfigError for half a pair and for what is neither. */
export function readClientTls(tls: ClientTls, option: string, platform: MiddlewarePlatform): ClientTls {
  const { ca = '', cert = '', key = '', insecureSkipVerify } = tls;
  if ((cert === '') !== (key === ''))
    throw new ConfigError('config.missing', `'${option}' has '${cert === '' ? 'key' : 'cert'}' alone; write 'cert' and 'key'`);
  const read = (name: string, text: string, wanted: RegExp) =>
    text === '' ? undefined : readPem(text, wanted, `'${option}.${name}'`, platform);
  return {
    ca: read('ca', ca, CERTIFICATE),
    cert: read('cert', cert, CERTIFICATE),
    key: read('key', key, PRIVATE_KEY),
    insecureSkipVerify,
  };
}

/** The text itself never shows in a complaint: it may be a key. */
function readPem(text: string, wanted: RegExp, place: string, { readFile }: MiddlewarePlatform): string {
  const pem = text.includes('-----BEGIN ') || text.includes('\n') ? text : readIt();
  if (wanted.test(pem)) return pem;
  throw new ConfigError('config.bad-value', `${place} holds no ${wanted === CERTIFICATE ? 'certificate' : 'private key'} in PEM`);

  function readIt(): string {
    try {
      if (readFile !== undefined) return readFile(text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
    throw new ConfigError('config.io', `${place} is neither PEM nor a file that can be read`);
  }
}
