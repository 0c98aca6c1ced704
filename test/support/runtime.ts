import { parse } from 'yaml';
import { decode } from '../../src/base/decode.ts';
import { dynamicConfiguration } from '../../src/config/dynamic.ts';
import { qualify } from '../../src/config/names.ts';
import type { RuntimeConfiguration, RuntimeObject } from '../../src/config/runtime.ts';

type Tree = Record<string, Record<string, never>>;

/**
 * A runtime configuration out of the YAML of one provider, as merge makes it: names qualified, priorities settled, objects that
 * lack something disabled. Routers without entry points are on `web`.
 */
export function runtimeOf(yaml: string, provider = 'file'): RuntimeConfiguration {
  const { value, problems } = decode(dynamicConfiguration, parse(yaml));
  if (value === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
  const http = (value.http ?? {}) as Tree;
  const names = (list: readonly string[] = []): string[] => list.map((name) => qualify(name, provider));
  const objects = (kind: string, prepare: (config: never) => object = (config) => config): Record<string, RuntimeObject<never>> =>
    Object.fromEntries(
      Object.entries(http[kind] ?? {}).map(([name, config]) => {
        const full = qualify(name, provider);
        const [base, suffix] = full.split('@') as [string, string];
        return [full, { name: base, provider: suffix, status: 'enabled', errors: [], config: prepare(config) as never }];
      }),
    );
  const services = objects('services');
  const middlewares = objects('middlewares');
  const routers = objects('routers', (config: Record<string, never>) => {
    const { rule = '', priority, entryPoints, middlewares: chain, service, parentRefs, tls } = config as never as Record<string, never>;
    return {
      ...(config as object),
      entryPoints: parentRefs === undefined ? (entryPoints ?? ['web']) : [],
      middlewares: names(chain),
      service: service === undefined ? '' : qualify(service, provider),
      priority: priority ?? (rule as string).length,
      ...(parentRefs !== undefined && { parentRefs: names(parentRefs) }),
      ...(tls !== undefined && { tls: { ...(tls as object), options: tlsOptions((tls as { options?: string }).options, provider) } }),
    };
  });
  for (const [name, router] of Object.entries(routers)) {
    const { middlewares: chain, service } = router.config as { middlewares: string[]; service: string };
    const missing = [...chain.filter((item) => middlewares[item] === undefined), ...(service && !services[service] ? [service] : [])];
    if (missing.length > 0 && !service.endsWith('@internal'))
      routers[name] = { ...router, status: 'disabled', errors: [`${missing.join()} does not exist`] };
  }
  const none = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };
  return {
    http: { routers, services, middlewares, serversTransports: objects('serversTransports') },
    tcp: none,
    udp: none,
    tls: { certificates: [], options: prefixed((value.tls?.options ?? {}) as object, provider), stores: {} },
  } as RuntimeConfiguration;
}

const tlsOptions = (name: string | undefined, provider: string): string =>
  name === undefined || name === 'default' ? 'default' : qualify(name, provider);

const prefixed = (options: object, provider: string): object =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [tlsOptions(name, provider), value]));

/** Two configurations in one, as of two providers. */
export const mergeRuntimes = (a: RuntimeConfiguration, b: RuntimeConfiguration): RuntimeConfiguration => ({
  ...a,
  http: {
    routers: { ...a.http.routers, ...b.http.routers },
    services: { ...a.http.services, ...b.http.services },
    middlewares: { ...a.http.middlewares, ...b.http.middlewares },
    serversTransports: { ...a.http.serversTransports, ...b.http.serversTransports },
  },
});
