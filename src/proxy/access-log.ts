import { encodeText } from '../base/bytes.ts';
import type { Observation, ProxyRequest } from '../base/message.ts';
import { createStatusTest } from '../middlewares/status-ranges.ts';
import { clientHost, type Exchange, FIELDS, requestPath } from './access-log-fields.ts';
import { createHeaderReader, type HeaderFieldOptions, type ReadHeaders } from './access-log-headers.ts';
import type { LineBuffer } from './line-buffer.ts';
import { createLogTimes, type LogTimes } from './log-time.ts';
import type { ExchangeOutcome } from './observation.ts';

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
    readonly headers?: HeaderFieldOptions;
    readonly queryParameters?: { readonly defaultMode?: string };
  };
  readonly addInternals?: boolean | undefined;
}

/** Puts the line into the buffer, with its end; false when it is not wanted. `endedAt` in milliseconds, `count` numbers the requests from 1. */
export type WriteAccess = (
  into: LineBuffer,
  request: ProxyRequest,
  observation: Observation,
  outcome: ExchangeOutcome,
  endedAt: number,
  count: number,
) => boolean;

/** Prepares filters and fields once. Throws ConfigError on statuses that are none. */
export function createAccessLogFormat(options: AccessLogOptions): WriteAccess {
  const wanted = createFilter(options.filters ?? {});
  const print = createPrinter(options);
  const mode = options.fields?.queryParameters?.defaultMode;
  const withQuery = mode === undefined || mode === 'keep';
  return (into, request, observation, outcome, endedAt, count) => {
    if (!observation.accessLogs || (observation.internal && !options.addInternals)) return false;
    const durationMs = endedAt - request.facts.startedAt;
    if (!wanted(outcome.status, request.facts.retryAttempts, durationMs)) return false;
    const { tries } = observation;
    print(into, { request, observation, outcome, endedAt, durationMs, count, last: tries[tries.length - 1], withQuery });
    into.endLine();
    return true;
  };
}

/** Any filter that fits is enough. */
function createFilter({ statusCodes = [], retryAttempts = false, minDuration = 0 }: NonNullable<AccessLogOptions['filters']>) {
  if (statusCodes.length === 0 && !retryAttempts && minDuration === 0) return () => true;
  const fits = createStatusTest(statusCodes, 'accessLog.filters.statusCodes');
  return (status: number, retries: number, durationMs: number): boolean =>
    fits(status) || (retryAttempts && retries > 0) || (minDuration > 0 && durationMs > minDuration);
}

type Print = (into: LineBuffer, exchange: Exchange) => void;
type Keep = (name: string) => boolean;

function createPrinter({ format, fields = {} }: AccessLogOptions): Print {
  const keep = createKeep(fields);
  const readHeaders = createHeaderReader(fields.headers ?? {});
  const times = createLogTimes();
  if (format === 'json') return createJsonPrinter(keep, readHeaders, times);
  const generic = createGenericLine(keep, readHeaders, times);
  const line = format === 'genericCLF' ? generic : createCommonLine(keep, generic);
  return (into, exchange) => into.text(line(exchange));
}

function createKeep({ defaultMode = 'keep', names = {} }: NonNullable<AccessLogOptions['fields']>): Keep {
  const modes = new Map(Object.entries(names).map(([name, mode]) => [name.toLowerCase(), mode]));
  return (name) => {
    const mode = modes.get(name.toLowerCase());
    return mode === 'keep' || (mode !== 'drop' && defaultMode !== 'drop');
  };
}

/** One object with its names in the order of bytes. */
function createJsonPrinter(keep: Keep, readHeaders: ReadHeaders | undefined, times: LogTimes): Print {
  const kept = FIELDS.filter(([name]) => keep(name)).map(([name, of]) => ({ name, lead: encodeText(`"${name}":`), of }));
  const own = kept.filter(({ name }) => name < 'a');
  const edgeways = kept.filter(({ name }) => name >= 'a');

  function addFields(into: LineBuffer, parts: typeof kept, exchange: Exchange): void {
    for (const { lead, of } of parts) {
      const value = of(exchange, times);
      if (value === undefined) continue;
      into.bytes(lead);
      if (typeof value === 'number') into.text(`${value}`);
      else into.json(value);
      into.text(',');
    }
  }
  function addHeaders(into: LineBuffer, prefix: string, raw: readonly string[] | undefined): void {
    if (readHeaders === undefined || raw === undefined) return;
    for (const [name, value] of readHeaders(raw)) {
      into.text(prefix);
      into.text(name);
      into.text('":');
      into.json(value);
      into.text(',');
    }
  }

  return (into, exchange) => {
    const { observation } = exchange;
    into.text('{');
    addFields(into, own, exchange);
    addHeaders(into, '"downstream_', observation.responseHeaders?.raw);
    addFields(into, edgeways, exchange);
    into.text('"level":"info","msg":"",');
    addHeaders(into, '"origin_', observation.originHeaders?.raw);
    addHeaders(into, '"request_', observation.headers.raw);
    into.text('"time":');
    into.json(times.localSecond(exchange.endedAt));
    into.text('}');
  };
}

type Line = (exchange: Exchange) => string;

/** Host, user, time, request line, status, size, referrer and agent: what every reader of such logs knows. */
function createGenericLine(keep: Keep, readHeaders: ReadHeaders | undefined, times: LogTimes): Line {
  const has = (name: string) => keep(name);
  const host = has('ClientHost');
  const user = has('ClientUsername');
  const method = has('RequestMethod');
  const path = has('RequestPath');
  const protocol = has('RequestProtocol');
  const status = has('DownstreamStatus');
  const size = has('DownstreamContentSize');
  const time = has('StartUTC') ? times.clfUtc : has('StartLocal') ? times.clfLocal : () => '-';
  return (exchange) => {
    const { request, observation, outcome } = exchange;
    const client = `${host ? bare(clientHost(request, observation)) : '-'} - ${user ? bare(request.facts.clientUsername) : '-'}`;
    const target = `${method ? bare(observation.method) : '-'} ${path ? bare(requestPath(exchange)) : '-'} ${protocol ? request.protocol : '-'}`;
    const answer = `${status ? outcome.status : '-'} ${size ? (outcome.sentBytes ?? '-') : '-'}`;
    const headers = readHeaders?.(observation.headers.raw);
    const field = (name: string): string => quoted(headers?.find(([other]) => other === name)?.[1]);
    return `${client} [${time(request.facts.startedAt)}] "${target}" ${answer} ${field('Referer')} ${field('User-Agent')}`;
  };
}

/** The same, then count, router, server and milliseconds: Traefik's own. */
function createCommonLine(keep: Keep, generic: Line): Line {
  const count = keep('RequestCount');
  const router = keep('RouterName');
  const url = keep('ServiceURL');
  const duration = keep('Duration');
  return (exchange) => {
    const { request, last } = exchange;
    const { routerName, serviceUrl } = request.facts;
    const ms = duration ? Math.floor(Math.max(0, exchange.durationMs)) : 0;
    const by = `${quoted(router ? routerName : undefined)} ${quoted(url && last !== undefined ? serviceUrl : undefined)}`;
    return `${generic(exchange)} ${count ? exchange.count : '-'} ${by} ${ms}ms`;
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\x00-\x1f\x7f]/;

/** One line stays one line, and one request cannot look like two. */
function oneLine(text: string): string {
  if (!CONTROLS.test(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\x00-\x1f\x7f]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

const bare = (value: string | undefined): string => (value === undefined || value === '' ? '-' : oneLine(value));

function quoted(value: string | undefined): string {
  if (value === undefined || value === '') return '"-"';
  const text = oneLine(value);
  return text.includes('"') ? `"${text.replaceAll('"', '\\"')}"` : `"${text}"`;
}
