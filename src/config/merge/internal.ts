import { ConfigError } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../dynamic.ts';
import type { StaticConfiguration } from '../static.ts';
import { INTERNAL_ENTRY_POINT, portOf } from './entry-points.ts';

/** What the provider `internal` says: our own routers and services, as the static configuration wants them. */
export interface InternalSay {
  readonly configuration: DynamicConfiguration;
  readonly problems: readonly ConfigError[];
}

type Routers = NonNullable<NonNullable<DynamicConfiguration['http']>['routers']>;
type Router = Routers[string];

/** Traefik's MaxInt; users may go up to 1000 below it. */
const HIGHEST = 2n ** 63n - 1n;

const ours = (
  rule: string,
  service: string,
  entryPoints: string[],
  priority: bigint | number | undefined,
  more: Partial<Router> = {},
): Router =>
  ({
    rule,
    // Never the user's default syntax.
    ruleSyntax: 'default',
    service: `${service}@internal`,
    entryPoints,
    priority,
    ...more,
  }) as unknown as Router;

export function internalProvider(configuration: StaticConfiguration): InternalSay {
  const routers: Routers = {};
  const middlewares: Record<string, object> = {};
  const problems: ConfigError[] = [];
  const services = new Set(['noop']);
  const { api, ping, metrics, providers, serversTransport, tcpServersTransport } = configuration;

  if (api !== undefined) {
    services.add('api');
    if (api.dashboard) services.add('dashboard');
    if (api.insecure) addApi(routers, middlewares, api);
  }
  if (ping !== undefined) {
    services.add('ping');
    if (!ping.manualRouting) routers.ping = ours('PathPrefix(`/ping`)', 'ping', [ping.entryPoint], HIGHEST);
  }
  if (providers.rest !== undefined) {
    services.add('rest');
    if (providers.rest.insecure) routers.rest = ours('PathPrefix(`/api/providers`)', 'rest', [INTERNAL_ENTRY_POINT], HIGHEST);
  }
  const prometheus = metrics?.prometheus;
  if (prometheus !== undefined) {
    services.add('prometheus');
    if (!prometheus.manualRouting) routers.prometheus = ours('PathPrefix(`/metrics`)', 'prometheus', [prometheus.entryPoint], HIGHEST);
  }
  addRedirections(configuration, routers, middlewares, problems);
  if (addAcme(configuration, routers)) services.add('acme-http');

  return {
    configuration: {
      http: {
        routers,
        middlewares,
        services: Object.fromEntries([...services].map((name) => [name, {}])),
        serversTransports: { default: withoutSpiffe(serversTransport) },
      },
      tcp: {
        serversTransports: {
          default: { ...tcpServersTransport, ...(tcpServersTransport.tls && { tls: withoutSpiffe(tcpServersTransport.tls) }) },
        },
      },
    } as DynamicConfiguration,
    problems,
  };
}

function withoutSpiffe<T extends { spiffe?: unknown }>({ spiffe: _ignored, ...transport }: T): Omit<T, 'spiffe'> {
  return transport;
}

function addApi(routers: Routers, middlewares: Record<string, object>, api: NonNullable<StaticConfiguration['api']>): void {
  routers.api = ours('PathPrefix(`/api`)', 'api', [INTERNAL_ENTRY_POINT], HIGHEST - 1n);
  if (api.debug) routers.debug = ours('PathPrefix(`/debug`)', 'api', [INTERNAL_ENTRY_POINT], HIGHEST - 1n);
  if (!api.dashboard) return;
  middlewares.dashboard_redirect = {
    redirectRegex: { regex: '^(http:\\/\\/(\\[[\\w:.]+\\]|[\\w\\._-]+)(:\\d+)?)\\/$', replacement: `\${1}/dashboard/`, permanent: true },
  };
  middlewares.dashboard_stripprefix = { stripPrefix: { prefixes: ['/dashboard/', '/dashboard'] } };
  routers.dashboard = ours('PathPrefix(`/`)', 'dashboard', [INTERNAL_ENTRY_POINT], HIGHEST - 2n, {
    middlewares: ['dashboard_redirect@internal', 'dashboard_stripprefix@internal'],
  });
}

/** Letters and digits, all else a dash. */
const normalize = (name: string): string =>
  name
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== '')
    .join('-');

function addRedirections(
  { entryPoints = {} }: StaticConfiguration,
  routers: Routers,
  middlewares: Record<string, object>,
  problems: ConfigError[],
): void {
  for (const [name, { http, allowACMEByPass }] of Object.entries(entryPoints)) {
    const redirect = http.redirections?.entryPoint;
    if (redirect === undefined) continue;
    const { to = '', scheme, permanent, priority } = redirect;
    const router = normalize(`${name}-to-${to}`);
    const port = /^:\d+$/.test(to) ? to.slice(1) : portOf(entryPoints[to]?.address);
    if (port === undefined) {
      const why =
        to === ''
          ? 'names no target'
          : entryPoints[to] === undefined
            ? `names '${to}', which does not exist`
            : `names '${to}', which has no port`;
      problems.push(
        new ConfigError('config.reference', `The redirection of the entry point '${name}' ${why}; write an entry point or ':443'`, {
          object: `http.routers.${router}`,
        }),
      );
      continue;
    }
    const rule = allowACMEByPass ? 'HostRegexp(`^.+$`) && !PathPrefix(`/.well-known/acme-challenge/`)' : 'HostRegexp(`^.+$`)';
    routers[router] = ours(rule, 'noop', [name], priority, { middlewares: [`redirect-${router}`] });
    middlewares[`redirect-${router}`] = { redirectScheme: { scheme, port, permanent } };
  }
}

function addAcme({ certificatesResolvers = {}, entryPoints = {} }: StaticConfiguration, routers: Routers): boolean {
  const named = Object.values(certificatesResolvers).map(({ acme }) => acme?.httpChallenge?.entryPoint ?? '');
  const all = [...new Set(named)].filter((name) => name !== '').sort();
  const rule = 'PathPrefix(`/.well-known/acme-challenge/`)';
  const forced = all.filter((name) => !entryPoints[name]?.allowACMEByPass);
  const passing = all.filter((name) => entryPoints[name]?.allowACMEByPass);
  if (forced.length > 0) routers['acme-http'] = ours(rule, 'acme-http', forced, HIGHEST);
  if (passing.length > 0) routers['acme-http-bypass'] = ours(rule, 'acme-http', passing, undefined, { ruleSyntax: undefined });
  return all.length > 0;
}
