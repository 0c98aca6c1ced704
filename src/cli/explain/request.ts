import { Cancellation, createFacts, HeaderList, type ProxyRequest } from '../../base/message.ts';
import { UsageError } from '../arguments.ts';

export interface AskedRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** Of the URL, else of the scheme. */
  readonly port: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly clientAddress: string;
}

/** The target as it was written: WHATWG's URL would change what Traefik keeps. Throws UsageError. */
export function readRequest(method: string, url: string, headers: readonly string[], clientAddress: string): AskedRequest {
  const form = /^(https?|wss?):\/\/([^/?#]+)([^?#]*)(?:\?([^#]*))?/i.exec(url);
  if (form === null) throw new UsageError(`'${url}' is no address; write https://host/path`);
  if (!/^[A-Za-z]+$/.test(method)) throw new UsageError(`'${method}' is no method; write GET https://host/path`);
  const [, scheme, authority, path, query] = form;
  const isTls = /^(https|wss)$/i.test(scheme!);
  const fields = headers.map((line): [string, string] => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new UsageError(`'${line}' is no header field; write -H 'Name: value'`);
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  if (/^ws/i.test(scheme!)) fields.push(['Connection', 'Upgrade'], ['Upgrade', 'websocket']);
  const port = /:(\d+)$/.exec(authority!)?.[1];
  return {
    method: method.toUpperCase(),
    scheme: isTls ? 'https' : 'http',
    host: fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? authority!,
    port: port ?? (isTls ? '443' : '80'),
    path: path === '' ? '/' : path!,
    query,
    headers: fields.filter(([name]) => name.toLowerCase() !== 'host'),
    clientAddress,
  };
}

/** As a rim would hand it in. */
export function toProxyRequest(asked: AskedRequest, entryPoint: string): ProxyRequest {
  const headers = new HeaderList();
  for (const [name, value] of asked.headers) headers.append(name, value);
  const host = asked.host.replace(/:\d+$/, '');
  return {
    method: asked.method,
    path: asked.path,
    query: asked.query,
    host: asked.host,
    protocol: 'HTTP/1.1',
    scheme: asked.scheme,
    headers,
    body: undefined,
    clientAddress: asked.clientAddress,
    clientPort: 50_000,
    tls:
      asked.scheme === 'https'
        ? { serverName: host, version: '1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientCertificates: [], options: 'default' }
        : undefined,
    entryPoint,
    upgrade: asked.headers.find(([name]) => name.toLowerCase() === 'upgrade')?.[1],
    cancellation: new Cancellation(),
    interim: undefined,
    facts: createFacts(0),
  };
}
