import { ConfigError } from '../base/errors.ts';

/** `[host]:port` ; `object` is where it is written; without a host all addresses. Throws ConfigError. */
export function parseListenAddress(address: string, object: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)(?:\/(?:tcp|udp))?$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new ConfigError('config.bad-value', `'${address}' is no address to listen on; write ':80' or '127.0.0.1:8080'`, {
      object,
    });
  }
  const host = match[1] ?? match[2];
  return { host: host === '' ? undefined : host, port };
}
