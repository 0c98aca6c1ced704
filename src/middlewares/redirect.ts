import { statusResponse } from '../base/body.ts';
import type { ProxyRequest, ProxyResponse } from '../base/message.ts';
import { formatUrl, parseUrl } from '../base/url.ts';

/** Sends the client elsewhere; the body is the status text. GET may become any status, other methods must keep theirs (307, 308). */
export function redirectTo(request: ProxyRequest, url: string, permanent: boolean): ProxyResponse {
  const parsed = parseUrl(url);
  // Only an operator's replacement can make such a URL; Traefik says 502 too.
  if (typeof parsed === 'string') return statusResponse(502);
  const status = request.method === 'GET' ? (permanent ? 301 : 302) : permanent ? 308 : 307;
  return statusResponse(status, ['Location', formatUrl(parsed)]);
}

/** `example.com:80` in host and port (`:80`); brackets stay with the host. */
export function splitPort(host: string): [string, string] {
  const match = /^(.*?)(:\d*)?$/.exec(host.startsWith('[') ? host.slice(host.indexOf(']') + 1) : host)!;
  const port = match[2] ?? '';
  const name = host.slice(0, host.length - port.length);
  return name.includes(':') && !name.startsWith('[') ? [host, ''] : [name, port];
}
