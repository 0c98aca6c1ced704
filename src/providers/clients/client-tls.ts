import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { ConfigError } from '../../base/errors.ts';

/** The TLS options of a provider: every PEM a path or the content itself. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecureSkipVerify?: boolean;
}

/** What node:tls wants for them. Throws ConfigError when a file cannot be read, or of certificate and key one is missing. */
export async function readClientTls(tls: ClientTls): Promise<ConnectionOptions> {
  if (((tls.cert ?? '') === '') !== ((tls.key ?? '') === '')) {
    throw new ConfigError('config.missing', 'tls.cert and tls.key belong together; write both or none');
  }
  return {
    ...(tls.ca ? { ca: await readPem('tls.ca', tls.ca) } : {}),
    ...(tls.cert ? { cert: await readPem('tls.cert', tls.cert), key: await readPem('tls.key', tls.key!) } : {}),
    rejectUnauthorized: tls.insecureSkipVerify !== true,
  };
}

async function readPem(option: string, value: string): Promise<string> {
  if (value.includes('-----BEGIN ')) return value;
  try {
    return await readFile(value, 'utf8');
  } catch (error) {
    throw new ConfigError('config.io', `${option}: cannot read the file '${value}': ${(error as Error).message}`);
  }
}
