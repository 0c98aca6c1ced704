import { ConfigError } from '../base/errors.ts';
import type { HttpRouter } from '../config/dynamic.ts';

/** A router as labels give it, of any protocol. */
interface Linkable {
  readonly rule?: string;
  readonly service?: string;
}

/** What of the routers can be used, and why the others cannot. */
export interface Completed<R> {
  readonly routers: Record<string, R>;
  readonly problems: readonly ConfigError[];
}

/**
 * Routers that say neither rule nor service get them, as people expect who wrote two labels: the rule of the template, and the
 * service if there is only one. Same for all providers that read labels or tags.
 */
export function completeHttpRouters(
  routers: Readonly<Record<string, HttpRouter>>,
  services: readonly string[],
  defaultRule: () => string,
): Completed<HttpRouter> {
  return complete(routers, services, 'http', (router) => {
    if (router.rule) return router;
    const rule = defaultRule();
    if (rule === '') throw new ConfigError('config.missing', 'has no rule, and the default rule is empty for it; write a rule');
    return { ...router, rule, defaultRule: true };
  });
}

export const completeTcpRouters = <R extends Linkable>(routers: Readonly<Record<string, R>>, services: readonly string[]): Completed<R> =>
  complete(routers, services, 'tcp', (router) => {
    if (router.rule) return router;
    throw new ConfigError('config.missing', 'has no rule; write one, as HostSNI(`*`)');
  });

export const completeUdpRouters = <R extends Linkable>(routers: Readonly<Record<string, R>>, services: readonly string[]): Completed<R> =>
  complete(routers, services, 'udp', (router) => router);

function complete<R extends Linkable>(
  routers: Readonly<Record<string, R>>,
  services: readonly string[],
  protocol: string,
  withRule: (router: R) => R,
): Completed<R> {
  const result: Record<string, R> = {};
  const problems: ConfigError[] = [];
  for (const [name, router] of Object.entries(routers)) {
    try {
      result[name] = withService(withRule(router), services);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(new ConfigError(error.code, `The router ${error.message}`, { object: `${protocol}.routers.${name}` }));
    }
  }
  return { routers: result, problems };
}

function withService<R extends Linkable>(router: R, services: readonly string[]): R {
  if (router.service || services.length === 0) return router;
  if (services.length === 1) return { ...router, service: services[0]! };
  throw new ConfigError('config.missing', `names no service, and there are several (${services.join(', ')}); write which`);
}
