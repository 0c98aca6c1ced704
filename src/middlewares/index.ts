import { addPrefix } from './http/add-prefix.ts';
import { basicAuth } from './http/basic-auth.ts';
import { buffering } from './http/buffering.ts';
import { chain } from './http/chain.ts';
import { circuitBreaker } from './http/circuit-breaker.ts';
import { compress } from './http/compress.ts';
import { contentType } from './http/content-type.ts';
import { digestAuth } from './http/digest-auth.ts';
import { encodedCharacters } from './http/encoded-characters.ts';
import { errors } from './http/errors.ts';
import { forwardAuth } from './http/forward-auth.ts';
import { grpcWeb } from './http/grpc-web.ts';
import { headers } from './http/headers.ts';
import { inFlightReq } from './http/in-flight-req.ts';
import { ipAllowList } from './http/ip-allow-list.ts';
import { ipWhiteList } from './http/ip-white-list.ts';
import { passTLSClientCert } from './http/pass-tls-client-cert.ts';
import { plugin } from './http/plugin.ts';
import { rateLimit } from './http/rate-limit.ts';
import { redirectRegex } from './http/redirect-regex.ts';
import { redirectScheme } from './http/redirect-scheme.ts';
import { replacePath } from './http/replace-path.ts';
import { replacePathRegex } from './http/replace-path-regex.ts';
import { requestHeaderModifier } from './http/request-header-modifier.ts';
import { requestRedirect } from './http/request-redirect.ts';
import { responseHeaderModifier } from './http/response-header-modifier.ts';
import { retry } from './http/retry.ts';
import { stripPrefix } from './http/strip-prefix.ts';
import { stripPrefixRegex } from './http/strip-prefix-regex.ts';
import { urlRewrite } from './http/url-rewrite.ts';
import type { MiddlewareDefinition } from './middleware.ts';
import { inFlightConn } from './tcp/in-flight-conn.ts';
import { ipAllowList as tcpIpAllowList } from './tcp/ip-allow-list.ts';
import { ipWhiteList as tcpIpWhiteList } from './tcp/ip-white-list.ts';
import type { TcpMiddlewareDefinition } from './tcp-middleware.ts';

/** The catalogue of HTTP words. A new one is its file, a line here, and a test file. */
export const HTTP_MIDDLEWARES = {
  addPrefix,
  basicAuth,
  buffering,
  chain,
  circuitBreaker,
  compress,
  contentType,
  digestAuth,
  encodedCharacters,
  errors,
  forwardAuth,
  grpcWeb,
  headers,
  inFlightReq,
  ipAllowList,
  ipWhiteList,
  passTLSClientCert,
  plugin,
  rateLimit,
  redirectRegex,
  redirectScheme,
  replacePath,
  replacePathRegex,
  requestHeaderModifier,
  requestRedirect,
  responseHeaderModifier,
  retry,
  stripPrefix,
  stripPrefixRegex,
  URLRewrite: urlRewrite,
} as const satisfies Record<string, MiddlewareDefinition>;

/** The catalogue of TCP words. */
export const TCP_MIDDLEWARES = {
  inFlightConn,
  ipAllowList: tcpIpAllowList,
  ipWhiteList: tcpIpWhiteList,
} as const satisfies Record<string, TcpMiddlewareDefinition>;
