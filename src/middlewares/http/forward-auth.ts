import { boolean, integer, list, object, string } from '../../base/schema.ts';
import { clientTlsFields } from '../client-tls.ts';
import { defineMiddleware } from '../middleware.ts';

const fieldNames = (summary: string) => list(string('A field name.'), summary);

export const forwardAuth = defineMiddleware({
  kind: 'forwardAuth',
  summary: 'Asks an auth server about every request: 2xx lets it pass, any other answer goes to the client.',
  options: object(
    {
      address: string('URL of the auth server. Required.'),
      tls: object(
        { ...clientTlsFields, caOptional: boolean('Without effect.', { deprecated: 'a server decides on client certificates.' }) },
        'TLS towards the auth server.',
      ),
      trustForwardHeader: boolean(
        'True passes the request’s X-Forwarded-* fields on, false drops them all; absent overwrites Method, Proto, Host, Uri and For only.',
      ),
      authResponseHeaders: fieldNames('Fields of the auth server’s answer that replace those of the request.'),
      authResponseHeadersRegex: string('The same for all fields that match this RE2 expression.'),
      authRequestHeaders: fieldNames('Fields of the request that the auth server gets; all when empty.'),
      maxResponseBodySize: integer('A longer answer of the auth server is 401; -1 has no limit.'),
      addAuthCookiesToResponse: list(string('A cookie.'), 'Cookies of the auth server’s answer that are set on the response.'),
      headerField: string('Field of the auth server’s answer that names the user, for logs.'),
      forwardBody: boolean('Sends the body to the auth server too.'),
      maxBodySize: integer('A longer body with forwardBody is 401; -1 has no limit.', { default: -1 }),
      preserveLocationHeader: boolean('Leaves a relative Location of the auth server as it is.'),
      preserveRequestMethod: boolean('Asks with the request’s method instead of GET.'),
      authSigninURL: string('Redirects to this URL where the auth server says 401.'),
    },
    'forwardAuth',
  ),
  edge: 'the auth server may be private to the agent',
});
