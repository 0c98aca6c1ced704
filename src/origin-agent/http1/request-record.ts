import { Cancellation, createFacts, HeaderList, type ProxyRequest } from '../../base/message.ts';
import { upgradeProtocol } from '../rim/request-target.ts';
import type { RequestHead } from './head.ts';
import type { Http1Body } from './incoming-body.ts';
import type { Peer } from './settings.ts';

/** The record of a request, as the handler gets it. `now`: when its head was read. */
export function requestRecord(
  { method, target, minor, fields }: RequestHead,
  body: Http1Body | undefined,
  peer: Peer,
  entryPoint: string,
  interim: ProxyRequest['interim'],
  now: number,
): ProxyRequest {
  return {
    method,
    path: target.path,
    query: target.query,
    host: target.authority ?? fields.host ?? '',
    protocol: minor === 1 ? 'HTTP/1.1' : 'HTTP/1.0',
    scheme: peer.scheme,
    headers: new HeaderList(fields.raw),
    body,
    clientAddress: peer.address,
    clientPort: peer.port,
    tls: peer.tls,
    entryPoint,
    upgrade: fields.connectionUpgrade ? upgradeProtocol(fields.upgrade) : undefined,
    cancellation: new Cancellation(),
    interim,
    facts: createFacts(now),
  };
}
