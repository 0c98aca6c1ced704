import { boolean, integer, list, map, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const headers = defineMiddleware({
  kind: 'headers',
  summary: 'Adds, replaces and removes header fields of requests and responses.',
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
    },
    'headers',
  ),
  edge: true,
  create({ customRequestHeaders = {}, customResponseHeaders = {} }) {
    const onRequest = Object.entries(customRequestHeaders);
    const onResponse = Object.entries(customResponseHeaders);
    return async (request, next) => {
      for (const [name, value] of onRequest) {
        if (name.toLowerCase() === 'host') request.host = value;
        else if (value === '') request.headers.delete(name);
        else request.headers.set(name, value);
      }
      const response = await next(request);
      for (const [name, value] of onResponse) {
        if (value === '') response.headers.delete(name);
        else response.headers.set(name, value);
      }
      return response;
    };
  },
});
