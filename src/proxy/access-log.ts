import type { Observation, ProxyRequest } from '../base/message.ts';
import { createStatusTest } from '../middlewares/status-ranges.ts';
import { type ExchangeOutcome, receivedBytes } from './observation.ts';

/** `accessLog` of the static configuration, as far as lines depend on it. */
export interface AccessLogOptions {
  readonly format: string;
  readonly filters?: {
    readonly statusCodes?: readonly string[] | undefined;
    readonly retryAttempts?: boolean | undefined;
    /** Milliseconds. */
    readonly minDuration?: number | undefined;
  };
  readonly fields?: {
    readonly defaultMode?: string;
    readonly names?: Readonly<Record<string, string>> | undefined;
    readonly headers?: { readonly defaultMode?: string; readonly names?: Readonly<Record<string, string>> | undefined };
    readonly queryParameters?: { readonly defaultMode?: string };
  };
  readonly addInternals?: boolean | undefined;
}

type Fields = Record<string, string | number>;
/** The line without its end; undefined when it is not wanted. `endedAt` in milliseconds, `count` numbers the requests from 1. */
export type FormatAccess = (
  request: ProxyRequest,
  observation: Observation,
  outcome: ExchangeOutcome,
  endedAt: number,
  count: number,
) => string | undefined;

/** Prepares filters and fields once. Throws ConfigError on statuses that are none. */
export function createAccessLogFormat(options: AccessLogOptions): FormatAccess {
  const wanted = createFilter(options.filters ?? {});
  const addFields = createFields(options);
  const print = options.format === 'json' ? jsonLine : options.format === 'genericCLF' ? genericLine : commonLine;
  return (request, observation, outcome, endedAt, count) => {
    if (!observation.accessLogs || (observation.internal && !options.addInternals)) return undefined;
    const durationMs = endedAt - request.facts.startedAt;
    if (!wanted(outcome.status, request.facts.retryAttempts, durationMs)) return undefined;
    return print(addFields(request, observation, outcome, durationMs, count), request.facts.startedAt, endedAt, durationMs);
  };
}

/** Any filter that fits is enough. */
function createFilter({ statusCodes = [], retryAttempts = false, minDuration = 0 }: NonNullable<AccessLogOptions['filters']>) {
  if (statusCodes.length === 0 && !retryAttempts && minDuration === 0) return () => true;
  const fits = createStatusTest(statusCodes, 'accessLog.filters.statusCodes');
  return (status: number, retries: number, durationMs: number): boolean =>
    fits(status) || (retryAttempts && retries > 0) || (minDuration > 0 && durationMs > minDuration);
}

function createFields({ fields = {} }: AccessLogOptions) {
  const { defaultMode = 'keep', names = {}, headers = {}, queryParameters } = fields;
  const modes = new Map(Object.entries(names).map(([name, mode]) => [name.toLowerCase(), mode]));
  const keepByDefault = defaultMode !== 'drop';
  const keeps = new Map<string, boolean>();
  const keep = (name: string): boolean => {
    let kept = keeps.get(name);
    if (kept === undefined) {
      const mode = modes.get(name.toLowerCase());
      kept = mode === 'keep' || (mode !== 'drop' && keepByDefault);
      keeps.set(name, kept);
    }
    return kept;
  };
  const addHeaders = createHeaderFields(headers);
  const withQuery = queryParameters?.defaultMode === undefined || queryParameters.defaultMode === 'keep';

  return (request: ProxyRequest, observation: Observation, outcome: ExchangeOutcome, durationMs: number, count: number): Fields => {
    const { facts } = request;
    const result: Fields = {};
    const add = (name: string, value: string | number | undefined): void => {
      if (value !== undefined && keep(name)) result[name] = value;
    };
    addClient(add, request, observation, withQuery);
    add('RequestCount', count);
    add('RequestContentSize', receivedBytes(observation.body));
    add('entryPointName', request.entryPoint);
    add('RouterName', facts.routerName);
    addOrigin(add, request, observation, outcome, durationMs);
    add('DownstreamStatus', outcome.status);
    add('DownstreamContentSize', outcome.sentBytes);
    add('RetryAttempts', facts.retryAttempts);
    add('edgewaySite', facts.site);
    if (addHeaders !== undefined) {
      addHeaders(result, 'request_', observation.headers.raw);
      if (observation.originHeaders !== undefined) addHeaders(result, 'origin_', observation.originHeaders.raw);
      if (observation.responseHeaders !== undefined) addHeaders(result, 'downstream_', observation.responseHeaders.raw);
    }
    if (keep('StartUTC')) result.StartUTC = utcTime(facts.startedAt);
    if (keep('StartLocal')) result.StartLocal = localTime(facts.startedAt);
    if (keep('Duration')) result.Duration = nanoseconds(durationMs);
    return result;
  };
}

type Add = (name: string, value: string | number | undefined) => void;

function addClient(add: Add, request: ProxyRequest, observation: Observation, withQuery: boolean): void {
  const { host, path, query } = observation;
  if (host !== '') {
    const [name, port] = splitHostPort(host);
    add('RequestAddr', host);
    add('RequestHost', name);
    add('RequestPort', port);
  }
  add('RequestMethod', observation.method);
  add('RequestPath', query === undefined || !withQuery ? path : `${path}?${query}`);
  add('RequestProtocol', request.protocol);
  add('RequestScheme', request.scheme);
  if (request.tls !== undefined) {
    add('TLSVersion', request.tls.version);
    add('TLSCipher', request.tls.cipher);
  }
  const address = request.clientAddress;
  add('ClientAddr', address.includes(':') ? `[${address}]:${request.clientPort}` : `${address}:${request.clientPort}`);
  add('ClientHost', observation.forwardedFor || address);
  add('ClientPort', String(request.clientPort));
  add('ClientUsername', request.facts.clientUsername ?? '-');
}

function addOrigin(add: Add, { facts }: ProxyRequest, { tries }: Observation, outcome: ExchangeOutcome, durationMs: number): void {
  const last = tries.at(-1);
  if (last !== undefined) {
    add('ServiceName', last.service);
    add('ServiceURL', facts.serviceUrl);
    add('ServiceAddr', facts.serviceUrl === undefined ? undefined : hostPortOf(facts.serviceUrl));
  }
  const originMs = last?.durationMs ?? 0;
  const originSize = last === undefined ? 0 : (last.size ?? outcome.sentBytes);
  add('OriginDuration', nanoseconds(originMs));
  add('OriginContentSize', originSize);
  add('OriginStatus', last?.status ?? 0);
  add('Overhead', nanoseconds(Math.max(0, durationMs - originMs)));
  if (outcome.sentBytes !== 0 && outcome.sentBytes !== originSize) add('GzipRatio', originSize / outcome.sentBytes);
}

/** Undefined when every header field is dropped. */
function createHeaderFields({
  defaultMode = 'drop',
  names = {},
}: {
  readonly defaultMode?: string;
  readonly names?: Readonly<Record<string, string>> | undefined;
}) {
  const known = new Set(['keep', 'drop', 'redact']);
  const fallback = known.has(defaultMode) ? defaultMode : 'drop';
  const modes = new Map(Object.entries(names).map(([name, mode]) => [name.toLowerCase(), known.has(mode) ? mode : fallback]));
  if (fallback === 'drop' && [...modes.values()].every((mode) => mode === 'drop')) return undefined;
  return (result: Fields, prefix: string, raw: readonly string[]): void => {
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i]!;
      const mode = modes.get(name.toLowerCase()) ?? fallback;
      if (mode === 'drop') continue;
      const key = prefix + canonicalName(name);
      const before = result[key];
      result[key] = mode === 'redact' ? 'REDACTED' : before === undefined ? raw[i + 1]! : `${before},${raw[i + 1]!}`;
    }
  };
}

/** Go's spelling: `X-Forwarded-For`. */
const canonicalName = (name: string): string => name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

function jsonLine(fields: Fields, _startedAt: number, endedAt: number): string {
  const all: Fields = { ...fields, level: 'info', msg: '', time: localTime(endedAt, false) };
  const parts = Object.keys(all)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(all[name])}`);
  return `{${parts.join(',')}}`;
}

function commonLine(fields: Fields, startedAt: number, endedAt: number, durationMs: number): string {
  const elapsed = fields.Duration === undefined ? 0 : Math.floor(Math.max(0, durationMs));
  const { RequestCount: count = '-' } = fields;
  return `${genericLine(fields, startedAt, endedAt, durationMs)} ${count} ${quoted(fields.RouterName)} ${quoted(fields.ServiceURL)} ${elapsed}ms`;
}

function genericLine(fields: Fields, startedAt: number, _endedAt: number, _durationMs: number): string {
  const time =
    fields.StartUTC !== undefined ? clfTime(startedAt, 0) : fields.StartLocal !== undefined ? clfTime(startedAt, offsetOf(startedAt)) : '-';
  const { DownstreamStatus: status = '-', DownstreamContentSize: size = '-' } = fields;
  const target = `${bare(fields.RequestMethod)} ${bare(fields.RequestPath)} ${bare(fields.RequestProtocol)}`;
  const head = `${bare(fields.ClientHost)} - ${bare(fields.ClientUsername)} [${time}] "${target}" ${status} ${size}`;
  return `${head} ${quoted(fields.request_Referer)} ${quoted(fields['request_User-Agent'])}`;
}

/** One line stays one line, and one request cannot look like two. */
const oneLine = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  text.replace(/[\x00-\x1f\x7f]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);

const bare = (value: string | number | undefined): string => (value === undefined || value === '' ? '-' : oneLine(String(value)));
const quoted = (value: string | number | undefined): string =>
  value === undefined || value === '' ? '"-"' : `"${oneLine(String(value)).replaceAll('"', '\\"')}"`;

const nanoseconds = (ms: number): number => Math.round(ms * 1e6);
const two = (value: number): string => String(value).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Minutes east of UTC. */
const offsetOf = (ms: number): number => -new Date(ms).getTimezoneOffset();

function zone(minutes: number, separator: string): string {
  const all = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(all / 60))}${separator}${two(all % 60)}`;
}

function clfTime(ms: number, offsetMinutes: number): string {
  const date = new Date(ms + offsetMinutes * 60_000);
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${date.toISOString().slice(11, 19)} ${zone(offsetMinutes, '')}`;
}

/** RFC 3339 with as many digits of the second as there are, to the nanosecond. */
function utcTime(ms: number, fraction = true): string {
  const seconds = new Date(ms).toISOString().slice(0, 19);
  const ns = Math.round((ms - Math.floor(ms / 1000) * 1000) * 1e6);
  const digits = fraction && ns > 0 ? `.${String(Math.min(ns, 999_999_999)).padStart(9, '0').replace(/0+$/, '')}` : '';
  return `${seconds}${digits}Z`;
}

function localTime(ms: number, fraction = true): string {
  const offset = offsetOf(ms);
  const text = utcTime(ms + offset * 60_000, fraction);
  return offset === 0 ? text : text.replace('Z', zone(offset, ':'));
}

/** Host and port of `host[:port]`; `-` stands for no port. */
function splitHostPort(host: string): [string, string] {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/.exec(host);
  return match === null ? [host, '-'] : [match[1] ?? match[2] ?? '', match[3]!];
}

const hostPortOf = (url: string): string => /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? url;
