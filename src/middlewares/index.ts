import { headers } from './http/headers.ts';
import { inFlightReq } from './http/in-flight-req.ts';
import { stripPrefix } from './http/strip-prefix.ts';
import type { MiddlewareDefinition } from './middleware.ts';

/** The catalogue of HTTP words. A new one is its file, a line here, and a test file. */
export const HTTP_MIDDLEWARES = { headers, inFlightReq, stripPrefix } as const satisfies Record<string, MiddlewareDefinition>;
