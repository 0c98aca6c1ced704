import { errorText, textResponse } from '../base/body.ts';
import { ConfigError } from '../base/errors.ts';
import type { ProxyRequest, ProxyResponse } from '../base/message.ts';
import { cleanPath, hasMalformedEscape, normalizePath } from '../base/path.ts';
import type { EncodedCharacters } from '../middlewares/http/encoded-characters.ts';
import { createForwardedHeaders, type ForwardedHeadersOptions } from './forwarded-headers.ts';

/** What an entry point does to requests before they are routed: its `http` and `forwardedHeaders` options. */
export interface EntryPointOptions {
  /** `keep` (default), `delete` or `reject`. */
  readonly underscoreHeadersStrategy?: string | undefined;
  /** Resolves `..`, `.` and `//`; true by default. */
  readonly sanitizePath?: boolean | undefined;
  /** `;` in queries becomes `%3B` instead of `&`. */
  readonly encodeQuerySemicolons?: boolean | undefined;
  readonly forwardedHeaders?: ForwardedHeadersOptions | undefined;
  /** Escapes that paths may have; all when absent. Asked after a router was found, as in Traefik. */
  readonly encodedCharacters?: EncodedCharacters | undefined;
}

/** Makes the request ready for routing, in place; or answers it. */
export type PrepareRequest = (request: ProxyRequest) => ProxyResponse | undefined;

/** `hostname` is what X-Forwarded-Server says. Throws ConfigError on options that make no sense. */
export function createRequestPreparation(options: EntryPointOptions, hostname: string): PrepareRequest {
  const { sanitizePath = true, encodeQuerySemicolons = false, underscoreHeadersStrategy = 'keep' } = options;
  const treatUnderscores = underscoreStrategy(underscoreHeadersStrategy);
  const semicolon = encodeQuerySemicolons ? '%3B' : '&';
  const withoutPeer = options.forwardedHeaders?.notAppendXForwardedFor === true;
  const setForwardedHeaders = createForwardedHeaders(options.forwardedHeaders ?? {}, hostname);

  return (request) => {
    const { method, path, query } = request;
    if (path === '*' && method === 'OPTIONS') return textResponse(200, '');
    const refusal = treatUnderscores?.(request) ?? refusePath(path);
    if (refusal !== undefined) return refusal;
    const normal = normalizePath(path);
    request.path = sanitizePath ? cleanPath(normal) : normal;
    if (query?.includes(';')) request.query = query.replaceAll(';', semicolon);
    setForwardedHeaders(request);
    if (withoutPeer) request.omitForwardedFor = true;
    return undefined;
  };
}

/** Go refuses a malformed escape before anything of Traefik's runs; a `#` is no part of a target (RFC 9112 §3.2). */
function refusePath(path: string): ProxyResponse | undefined {
  if (path.includes('%') && hasMalformedEscape(path))
    return textResponse(400, '400 Bad Request', { contentType: 'text/plain; charset=utf-8', headers: ['Connection', 'close'] });
  return path.includes('#') ? textResponse(400, '') : undefined;
}

function underscoreStrategy(strategy: string): PrepareRequest | undefined {
  switch (strategy) {
    case '':
    case 'keep':
      return undefined;
    case 'delete':
      return ({ headers }) => {
        headers.filter((name) => !name.includes('_'));
        return undefined;
      };
    case 'reject':
      return ({ headers }) =>
        headers.raw.some((text, i) => i % 2 === 0 && text.includes('_')) ? errorText(400, 'Bad Request') : undefined;
    default:
      throw new ConfigError('config.bad-value', `underscoreHeadersStrategy is '${strategy}'; write keep, delete or reject`);
  }
}
