import type { Observation, ProxyRequest } from '../base/message.ts';
import { createStatusTest } from '../middlewares/status-ranges.ts';
import { clientHost, type Exchange, FIELDS, requestPath } from './access-log-fields.ts';
import { createHeaderReader, type HeaderFieldOptions, type ReadHeaders } from './access-log-headers.ts';
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
  const print = createPrinter(options);
  const mode = options.fields?.queryParameters?.defaultMode;
  const withQuery = mode === undefined || mode === 'keep';
  return (request, observation, outcome, endedAt, count) => {
    if (!observation.accessLogs || (observation.internal && !options.addInternals)) return undefined;
    const durationMs = endedAt - request.facts.startedAt;
    if (!wanted(outcome.status, request.facts.retryAttempts, durationMs)) return undefined;
    const { tries } = observation;
    return print({ request, observation, outcome, endedAt, durationMs, count, last: tries[tries.length - 1], withQuery });
  };
}

/** Any filter that fits is enough. */
function createFilter({ statusCodes = [], retryAttempts = false, minDuration = 0 }: NonNullable<AccessLogOptions['filters']>) {
  if (statusCodes.length === 0 && !retryAttempts && minDuration === 0) return () => true;
  const fits = createStatusTest(statusCodes, 'accessLog.filters.statusCodes');
  return (status: number, retries: number, durationMs: number): boolean =>
    fits(status) || (retryAttempts && retries > 0) || (minDuration > 0 && durationMs > minDuration);
}

type Print = (exchange: Exchange) => string;
type Keep = (name: string) => boolean;

function createPrinter({ format, fields = {} }: AccessLogOptions): Print {
  const keep = createKeep(fields);
  const readHeaders = createHeaderReader(fields.headers ?? {});
  const times = createLogTimes();
  if (format === 'json') return createJsonPrinter(keep, readHeaders, times);
  const generic = createGenericPrinter(keep, readHeaders, times);
  return format === 'genericCLF' ? generic : createCommonPrinter(keep, generic);
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
  const kept = FIELDS.filter(([name]) => keep(name)).map(([name, of]) => ({ name, lead: `"${name}":`, of }));
  const own = kept.filter(({ name }) => name < 'a');
  const edgeways = kept.filter(({ name }) => name >= 'a');

  function addFields(line: string, parts: typeof kept, exchange: Exchange): string {
    let text = line;
    for (const { lead, of } of parts) {
      const value = of(exchange, times);
      if (value === undefined) continue;
      text += typeof value === 'number' ? `${lead}${value},` : `${lead}${jsonText(value)},`;
    }
    return text;
  }
  function addHeaders(line: string, prefix: string, raw: readonly string[] | undefined): string {
    if (readHeaders === undefined || raw === undefined) return line;
    let text = line;
    for (const [name, value] of readHeaders(raw)) text += `"${prefix}${name}":${jsonText(value)},`;
    return text;
  }

  return (exchange) => {
    const { observation } = exchange;
    let line = addFields('{', own, exchange);
    line = addHeaders(line, 'downstream_', observation.responseHeaders?.raw);
    line = addFields(line, edgeways, exchange);
    line += '"level":"info","msg":"",';
    line = addHeaders(line, 'origin_', observation.originHeaders?.raw);
    line = addHeaders(line, 'request_', observation.headers.raw);
    return `${line}"time":"${times.localSecond(exchange.endedAt)}"}`;
  };
}

/** Most texts need no escape: to look is cheaper than to ask JSON. */
const PLAIN = /^[ !#-[\]-~]*$/;
const jsonText = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/** Host, user, time, request line, status, size, referrer and agent: what every reader of such logs knows. */
function createGenericPrinter(keep: Keep, readHeaders: ReadHeaders | undefined, times: LogTimes): Print {
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
function createCommonPrinter(keep: Keep, generic: Print): Print {
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
