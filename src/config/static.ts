import { boolean, integer, list, map, object, string } from '../base/schema.ts';
import { certificatesResolvers } from './static/certificates-resolvers.ts';
import { edge } from './static/edge.ts';
import { entryPoint } from './static/entry-points.ts';
import { accessLog, log, metrics, tracing } from './static/observability.ts';
import { providers } from './static/providers.ts';
import { serversTransport, tcpServersTransport } from './static/transports.ts';

const global = object(
  {
    checkNewVersion: boolean('Asks whether a newer version exists.', { default: true, ignored: 'no such question is asked.' }),
    sendAnonymousUsage: boolean('Sends statistics.', { ignored: 'no statistics are sent.' }),
    notAppendXForwardedFor: boolean('Nothing.', {
      ignored: 'it has no effect in Traefik either; write `entryPoints.<name>.forwardedHeaders.notAppendXForwardedFor`.',
    }),
  },
  'The program as a whole.',
  { default: {} },
);

const api = object(
  {
    basePath: string('Path of API and dashboard.', { default: '/' }),
    insecure: boolean('Serves them on the entry point `traefik` without any guard.'),
    dashboard: boolean('Serves the dashboard.', { default: true }),
    debug: boolean('Serves /debug.'),
    disableDashboardAd: boolean('Leaves the advertisement out.'),
    dashboardName: string('Title of the dashboard.'),
  },
  'API and dashboard.',
  { presence: true },
);

const ping = object(
  {
    entryPoint: string('Entry point of /ping.', { default: 'traefik' }),
    manualRouting: boolean('Makes no router: one of the user leads to `ping@internal`.'),
    terminatingStatusCode: integer('Status while it stops.', { default: 503 }),
  },
  'Answers whether it lives.',
  { presence: true },
);

const hostResolver = object(
  {
    cnameFlattening: boolean('Follows CNAME records of hosts.'),
    resolvConfig: string('File that names the name servers.', { default: '/etc/resolv.conf' }),
    resolvDepth: integer('How many records are followed.', { default: 5 }),
  },
  'Hosts of rules by CNAME.',
  { presence: true, ignored: 'CNAME records are not followed.' },
);

const settings = object(
  {
    envs: list(string('A variable.'), 'Variables it may read.'),
    mounts: list(string('A folder.'), 'Folders it may read.'),
    useUnsafe: boolean('Allows unsafe code.'),
  },
  'Its rights.',
  { default: {} },
);
const noPlugins = 'plug-ins cannot be loaded here; a router that names one is disabled.';

const experimental = object(
  {
    plugins: map(
      object({ moduleName: string('Module.'), version: string('Version.'), hash: string('Hash.'), settings }, 'A plug-in.'),
      'Plug-ins by name.',
      { ignored: noPlugins },
    ),
    localPlugins: map(object({ moduleName: string('Module.'), settings }, 'A plug-in.'), 'Plug-ins on disk by name.', {
      ignored: noPlugins,
    }),
    abortOnPluginFailure: boolean('Does not start without them.', { ignored: noPlugins }),
    fastProxy: object({ debug: boolean('Adds a header field.') }, 'Another proxy engine.', {
      presence: true,
      ignored: 'there is one engine only.',
    }),
    otlplogs: boolean('Allows `log.otlp` and `accessLog.otlp`.'),
    knative: boolean('Allows the provider knative.'),
    kubernetesIngressNGINX: boolean('Nothing any more.', { deprecated: 'remove it.' }),
    kubernetesGateway: boolean('Nothing any more.', { deprecated: 'remove it.' }),
  },
  'What is still being tried.',
);

/** The static configuration: Traefik's sections, and `edge` with what is ours alone. */
export const staticConfiguration = object(
  {
    global,
    serversTransport,
    tcpServersTransport,
    entryPoints: map(entryPoint, 'Entry points by name.'),
    providers,
    api,
    metrics,
    ping,
    log,
    accessLog,
    tracing,
    hostResolver,
    certificatesResolvers,
    experimental,
    core: object({ defaultRuleSyntax: string('v2 or v3.', { default: 'v3', deprecated: 'write rules in v3.' }) }, 'The core.'),
    spiffe: object({ workloadAPIAddr: string('Address of the workload API.') }, 'SPIFFE.', { ignored: 'SPIFFE does not exist here yet.' }),
    ocsp: object({ responderOverrides: map(string('URL.'), 'Other responders by URL.') }, 'OCSP stapling.', {
      presence: true,
      ignored: 'no OCSP answers are stapled yet.',
    }),
    edge,
  },
  'The static configuration.',
);

export type StaticConfiguration = NonNullable<(typeof staticConfiguration)['$type']>;
export type { EntryPoint } from './static/entry-points.ts';
