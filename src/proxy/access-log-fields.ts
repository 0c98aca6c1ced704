import { fromByteString } from '../base/byte-string.ts';
import { distinguishedName } from '../base/distinguished-name.ts';
import type { Observation, ProxyRequest, ServiceTry, TlsFacts } from '../base/message.ts';
import { readCertificate } from '../base/x509.ts';
import type { LogTimes } from './log-time.ts';
import { type ExchangeOutcome, receivedBytes } from './observation.ts';

/** All that a line may tell of. */
export interface Exchange {
  readonly request: ProxyRequest;
  readonly observation: Observation;
  readonly outcome: ExchangeOutcome;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
  readonly durationMs: number;
  /** Numbers the requests from 1. */
  readonly count: number;
  /** The try that answered. */
  readonly last: ServiceTry | undefined;
  readonly withQuery: boolean;
}

/** Undefined where the exchange has no such thing. */
type Field = readonly [name: string, of: (exchange: Exchange, times: LogTimes) => string | number | undefined];

const nanoseconds = (ms: number): number => Math.round(ms * 1e6);

/** Every field of a line, by name in the order of bytes, as Traefik's JSON has them. */
export const FIELDS: readonly Field[] = [
  ['ClientAddr', ({ request }) => clientAddress(request)],
  ['ClientHost', ({ request, observation }) => clientHost(request, observation)],
  ['ClientPort', ({ request }) => `${request.clientPort}`],
  ['ClientUsername', ({ request }) => request.facts.clientUsername ?? '-'],
  ['DownstreamContentSize', ({ outcome }) => outcome.sentBytes],
  ['DownstreamStatus', ({ outcome }) => outcome.status],
  ['Duration', ({ durationMs }) => nanoseconds(durationMs)],
  ['GzipRatio', (exchange) => gzipRatio(exchange)],
  ['OriginContentSize', (exchange) => originSize(exchange)],
  ['OriginDuration', ({ last }) => nanoseconds(last?.durationMs ?? 0)],
  ['OriginStatus', ({ last }) => last?.status ?? 0],
  ['Overhead', ({ durationMs, last }) => nanoseconds(Math.max(0, durationMs - (last?.durationMs ?? 0)))],
  ['RequestAddr', ({ observation: { host } }) => (host === '' ? undefined : fromByteString(host))],
  ['RequestContentSize', ({ observation }) => receivedBytes(observation.body)],
  ['RequestCount', ({ count }) => count],
  ['RequestHost', ({ observation: { host } }) => (host === '' ? undefined : fromByteString(nameOf(host)))],
  ['RequestMethod', ({ observation }) => observation.method],
  ['RequestPath', (exchange) => requestPath(exchange)],
  ['RequestPort', ({ observation: { host } }) => (host === '' ? undefined : portOf(host))],
  ['RequestProtocol', ({ request }) => request.protocol],
  ['RequestScheme', ({ request }) => request.scheme],
  ['RetryAttempts', ({ request }) => request.facts.retryAttempts],
  ['RouterName', ({ request }) => request.facts.routerName],
  ['ServiceAddr', ({ request, last }) => (last === undefined ? undefined : serviceAddress(request.facts.serviceUrl))],
  ['ServiceName', ({ last }) => last?.service],
  ['ServiceURL', ({ request, last }) => (last === undefined ? undefined : request.facts.serviceUrl)],
  ['StartLocal', ({ request }, times) => times.local(request.facts.startedAt)],
  ['StartUTC', ({ request }, times) => times.utc(request.facts.startedAt)],
  ['TLSCipher', ({ request }) => request.tls?.cipher],
  ['TLSClientSubject', ({ request }) => clientSubject(request.tls)],
  ['TLSVersion', ({ request }) => request.tls?.version],
  ['edgewaySite', ({ request }) => request.facts.site],
  ['entryPointName', ({ request }) => request.entryPoint],
];

export const clientHost = (request: ProxyRequest, { forwardedFor }: Observation): string =>
  forwardedFor ? fromByteString(forwardedFor) : request.clientAddress;

const clientAddress = ({ clientAddress: address, clientPort: port }: ProxyRequest): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

export function requestPath({ observation: { path, query }, withQuery }: Exchange): string {
  return fromByteString(query === undefined || !withQuery ? path : `${path}?${query}`);
}

const originSize = ({ last, outcome }: Exchange): number | undefined => (last === undefined ? 0 : (last.size ?? outcome.sentBytes));

function gzipRatio(exchange: Exchange): number | undefined {
  const { sentBytes } = exchange.outcome;
  const size = originSize(exchange);
  return !sentBytes || size === undefined || sentBytes === size ? undefined : size / sentBytes;
}

/** A Host with a port: `a:80`, `[::1]:80`. Anything else is a name alone. */
const HOST_PORT = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/;

function nameOf(host: string): string {
  if (!host.includes(':')) return host;
  const match = HOST_PORT.exec(host);
  return match === null ? host : (match[1] ?? match[2] ?? '');
}

function portOf(host: string): string {
  if (!host.includes(':')) return '-';
  return HOST_PORT.exec(host)?.[3] ?? '-';
}

/** More servers than this are looked at anew each time. */
const MAX_KNOWN = 1000;
const addresses = new Map<string, string>();

function serviceAddress(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  let address = addresses.get(url);
  if (address === undefined) {
    address = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? url;
    if (addresses.size < MAX_KNOWN) addresses.set(url, address);
  }
  return address;
}

/** A connection has the same bytes for all of its requests. */
const subjects = new WeakMap<Uint8Array, string>();

function clientSubject(tls: TlsFacts | undefined): string | undefined {
  const leaf = tls?.clientCertificates[0];
  if (leaf === undefined) return undefined;
  let subject = subjects.get(leaf);
  if (subject === undefined) {
    subject = distinguishedName(readCertificate(leaf)?.subject ?? []);
    subjects.set(leaf, subject);
  }
  return subject;
}
