import type { ConnectionOptions } from 'node:tls';
import type { ServerTarget } from '../../proxy/platform.ts';

/** Path of the socket in `unix:///run/app.sock`; undefined for servers reached by TCP. */
export function unixPath(target: ServerTarget): string | undefined {
  return target.url.startsWith('unix:') ? decodeURIComponent(new URL(target.url).pathname) : undefined;
}

/** What `tls.connect` is told about a server. Without a name of its own in the transport, the URL's host is the SNI (addresses send none). */
export function upstreamTlsOptions(target: ServerTarget): ConnectionOptions {
  const { transport } = target;
  const name = transport.serverName || target.host;
  return {
    servername: isAddress(name) ? '' : name,
    rejectUnauthorized: !transport.insecureSkipVerify,
    ...(transport.rootCAs?.length ? { ca: [...transport.rootCAs] } : {}),
  };
}

const isAddress = (host: string): boolean => host.includes(':') || /^[0-9.]+$/.test(host);
