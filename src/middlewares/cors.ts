import { textResponse } from '../base/body.ts';
import type { HeaderList, ProxyRequest, ProxyResponse } from '../base/message.ts';
import { compileRegexp } from '../base/regexp.ts';

export interface CorsOptions {
  readonly accessControlAllowCredentials?: boolean;
  readonly accessControlAllowHeaders?: readonly string[];
  readonly accessControlAllowMethods?: readonly string[];
  readonly accessControlAllowOriginList?: readonly string[];
  readonly accessControlAllowOriginListRegex?: readonly string[];
  readonly accessControlExposeHeaders?: readonly string[];
  /** Seconds. */
  readonly accessControlMaxAge?: number;
  readonly addVaryHeader?: boolean;
}

export interface Cors {
  /** The answer to a preflight, whatever its origin; undefined when the request is none. */
  answerPreflight(request: ProxyRequest): ProxyResponse | undefined;
  onResponse(headers: HeaderList, request: ProxyRequest): void;
}

/** Undefined when no option asks for CORS. */
export function createCors(options: CorsOptions): Cors | undefined {
  const { accessControlMaxAge: maxAge, accessControlAllowCredentials: credentials = false, addVaryHeader = false } = options;
  const allowHeaders = createList(options.accessControlAllowHeaders, credentials);
  const allowMethods = createList(options.accessControlAllowMethods, credentials);
  const exposeHeaders = createList(options.accessControlExposeHeaders, credentials);
  const { accessControlAllowOriginList: origins = [], accessControlAllowOriginListRegex: expressions = [] } = options;
  const lists = [allowHeaders, allowMethods, exposeHeaders, origins, expressions].some((list) => list.length > 0);
  if (!credentials && !addVaryHeader && maxAge === undefined && !lists) return undefined;
  const originOf = createOriginMatch(origins, expressions, credentials);

  const addShared = (headers: HeaderList, origin: string | undefined): void => {
    const allowed = originOf(origin ?? '');
    if (allowed !== undefined) headers.set('Access-Control-Allow-Origin', allowed);
    if (credentials) headers.set('Access-Control-Allow-Credentials', 'true');
    if (exposeHeaders.text !== '') headers.set('Access-Control-Expose-Headers', exposeHeaders.text);
  };
  return {
    answerPreflight({ method, headers }) {
      const origin = headers.get('Origin') ?? '';
      const requestMethod = headers.get('Access-Control-Request-Method') ?? '';
      if (method !== 'OPTIONS' || origin === '' || requestMethod === '') return undefined;
      const answer = textResponse(200, '');
      addShared(answer.headers, origin);
      const names = allowHeaders.any ? (headers.get('Access-Control-Request-Headers') ?? '') : allowHeaders.text;
      if (names !== '') answer.headers.set('Access-Control-Allow-Headers', names);
      const methods = allowMethods.any ? requestMethod : allowMethods.text;
      if (methods !== '') answer.headers.set('Access-Control-Allow-Methods', methods);
      if (maxAge !== undefined) answer.headers.set('Access-Control-Max-Age', String(maxAge));
      return answer;
    },
    onResponse(headers, request) {
      addShared(headers, request.headers.get('Origin'));
      if (addVaryHeader) addVaryOrigin(headers);
    },
  };
}

/** `*` is no wildcard beside credentials: then what was asked for is named instead. */
function createList(items: readonly string[] = [], credentials: boolean): { any: boolean; text: string; length: number } {
  const any = credentials && items.includes('*');
  return { any, text: any ? '' : items.join(','), length: items.length };
}

function createOriginMatch(
  origins: readonly string[],
  sources: readonly string[],
  credentials: boolean,
): (origin: string) => string | undefined {
  const expressions = sources.map(compileRegexp);
  return (origin) => {
    for (const item of origins) {
      if (item === origin) return item;
      if (item === '*') return credentials ? origin : item;
    }
    return expressions.some((expression) => expression.test(origin)) ? origin : undefined;
  };
}

function addVaryOrigin(headers: HeaderList): void {
  const vary = headers.getAll('Vary').join(',');
  if (vary === 'Origin') return;
  headers.set('Vary', vary === '' ? 'Origin' : `${vary},Origin`);
}
