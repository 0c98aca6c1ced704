import { HTTP_MIDDLEWARES } from '../../middlewares/index.ts';
import type { MiddlewareDefinition } from '../../middlewares/middleware.ts';
import { providerOf, qualify } from '../names.ts';
import type { RuntimeConfiguration } from '../runtime.ts';
import type { StaticConfiguration } from '../static.ts';
import type { Hint } from './finding.ts';

/** Middlewares that no router, service, chain or entry point names. Without any router that says nothing. */
export function lintUnused({ http, tcp }: RuntimeConfiguration, { entryPoints = {} }: StaticConfiguration): Hint[] {
  const used = new Set(Object.values(entryPoints).flatMap((entryPoint) => entryPoint.http.middlewares ?? []));
  for (const [name, { config }] of Object.entries(http.services))
    for (const middleware of config.middlewares ?? []) used.add(qualify(middleware, providerOf(name)));
  for (const [name, { config }] of Object.entries(http.middlewares)) {
    for (const [kind, options] of Object.entries(config)) {
      const definition = (HTTP_MIDDLEWARES as Record<string, MiddlewareDefinition>)[kind];
      for (const child of definition?.expand?.(options as never) ?? []) used.add(qualify(child, providerOf(name)));
    }
  }
  const hints: Hint[] = [];
  for (const [protocol, { routers, middlewares }] of [
    ['http', http],
    ['tcp', tcp],
  ] as const) {
    if (!Object.values(routers).some(({ provider }) => provider !== 'internal')) continue;
    for (const [name, { usedBy = [] }] of Object.entries(middlewares))
      if (usedBy.length === 0 && !used.has(name) && providerOf(name) !== 'internal')
        hints.push({
          object: `${protocol}.middlewares.${name}`,
          message: 'is used by nobody; name it in the middlewares of a router, or remove it',
        });
  }
  return hints;
}
