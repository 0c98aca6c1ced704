import { ConfigError } from '../../base/errors.ts';
import { boolean, integer, list, map, object, string } from '../../base/schema.ts';
import { createCors } from '../cors.ts';
import { createCustomHeaders } from '../custom-headers.ts';
import { defineMiddleware } from '../middleware.ts';
import { createSecurityHeaders } from '../security-headers.ts';

export const headers = defineMiddleware({
  kind: 'headers',
  summary: 'Sets and removes header fields, answers CORS preflights, adds security fields.',
  options: object(
    {
      customRequestHeaders: map(string('Value; empty removes the field.'), 'Fields of the request by name. `Host` sets the host.'),
      customResponseHeaders: map(string('Value; empty removes the field.'), 'Fields of the response by name.'),
      accessControlAllowCredentials: boolean('Sends Access-Control-Allow-Credentials.'),
      accessControlAllowHeaders: list(string('A field name.'), 'Access-Control-Allow-Headers of a preflight.'),
      accessControlAllowMethods: list(string('A method.'), 'Access-Control-Allow-Methods of a preflight.'),
      accessControlAllowOriginList: list(string('An origin, or `*`.'), 'Origins that are allowed.'),
      accessControlAllowOriginListRegex: list(string('An RE2 expression.'), 'Origins that are allowed, as unanchored expressions.'),
      accessControlExposeHeaders: list(string('A field name.'), 'Access-Control-Expose-Headers.'),
      accessControlMaxAge: integer('Seconds for which a preflight may be remembered.'),
      addVaryHeader: boolean('Adds Vary: Origin.'),
      allowedHosts: list(string('A host, as sent.'), 'Requests for other hosts get 500.'),
      hostsProxyHeaders: list(string('A field name.'), 'Fields that name the host instead of Host.'),
      sslProxyHeaders: map(string('Value.'), 'Fields whose value says that the client came by TLS.'),
      stsSeconds: integer('max-age of Strict-Transport-Security; 0 sends none.'),
      stsIncludeSubdomains: boolean('Adds includeSubDomains.'),
      stsPreload: boolean('Adds preload.'),
      forceSTSHeader: boolean('Sends Strict-Transport-Security without TLS too.'),
      frameDeny: boolean('Sends X-Frame-Options: DENY.'),
      customFrameOptionsValue: string('X-Frame-Options; wins over `frameDeny`.'),
      contentTypeNosniff: boolean('Sends X-Content-Type-Options: nosniff.'),
      browserXssFilter: boolean('Sends X-XSS-Protection: 1; mode=block.'),
      customBrowserXSSValue: string('X-XSS-Protection; wins over `browserXssFilter`.'),
      contentSecurityPolicy: string('Content-Security-Policy.'),
      contentSecurityPolicyReportOnly: string('Content-Security-Policy-Report-Only.'),
      publicKey: string('Public-Key-Pins.'),
      referrerPolicy: string('Referrer-Policy.'),
      permissionsPolicy: string('Permissions-Policy.'),
      isDevelopment: boolean('Switches `allowedHosts`, TLS conditions and Strict-Transport-Security off.'),
      featurePolicy: string('Without effect.', { deprecated: 'write permissionsPolicy.' }),
      sslRedirect: boolean('Without effect.', { deprecated: 'write redirectScheme or the entry point’s redirection.' }),
      sslTemporaryRedirect: boolean('Without effect.', { deprecated: 'write redirectScheme or the entry point’s redirection.' }),
      sslHost: string('Without effect.', { deprecated: 'write redirectRegex.' }),
      sslForceHost: boolean('Without effect.', { deprecated: 'write redirectRegex.' }),
    },
    'headers',
  ),
  edge: true,
  create(settings) {
    const custom = createCustomHeaders(settings);
    const cors = createCors(settings);
    const security = createSecurityHeaders(settings);
    if (custom === undefined && cors === undefined && security === undefined)
      throw new ConfigError('config.missing', 'none of the options asks for anything; write at least one, as customRequestHeaders');
    return async (request, next) => {
      const preflight = cors?.answerPreflight(request);
      if (preflight !== undefined) return preflight;
      custom?.onRequest(request);
      const refusal = security?.refuse(request);
      const response = refusal ?? (await next(request));
      if (refusal === undefined) security?.onResponse(response.headers, request);
      custom?.onResponse(response.headers);
      cors?.onResponse(response.headers, request);
      return response;
    };
  },
});
