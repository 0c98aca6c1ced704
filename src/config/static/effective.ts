import { defaultsOf } from '../../base/decode.ts';
import { ConfigError, nearest } from '../../base/errors.ts';
import { DEFAULT_PRECEDENCE } from '../names.ts';
import type { StaticConfiguration } from '../static.ts';
import { type EntryPoint, entryPoint } from './entry-points.ts';

const INTERNAL = 'traefik';
const KNOWN_PROVIDERS: readonly string[] = [...DEFAULT_PRECEDENCE, 'rancher'];

const entryPointAt = (address: string): EntryPoint => ({ ...defaultsOf(entryPoint), address });

/** Adds what follows from the rest: the entry points that are implied, and values that cannot be meant. Changes nothing in place. */
export function complete(configuration: StaticConfiguration): StaticConfiguration {
  const { api, ping, metrics, providers, tracing, certificatesResolvers } = configuration;
  const entryPoints = { ...configuration.entryPoints };
  if (Object.keys(entryPoints).length === 0) entryPoints.http = entryPointAt(':80');
  const needsInternal =
    api?.insecure ||
    (ping !== undefined && !ping.manualRouting && ping.entryPoint === INTERNAL) ||
    (metrics?.prometheus !== undefined && !metrics.prometheus.manualRouting && metrics.prometheus.entryPoint === INTERNAL) ||
    providers.rest?.insecure;
  if (needsInternal) entryPoints[INTERNAL] ??= entryPointAt(':8080');
  return {
    ...configuration,
    entryPoints,
    providers: {
      ...providers,
      ...(providers.precedence && { precedence: providers.precedence.map((name) => name.toLowerCase()) }),
      ...(providers.docker && { docker: { ...providers.docker, httpClientTimeout: Math.max(0, providers.docker.httpClientTimeout ?? 0) } }),
      ...(providers.swarm && {
        swarm: {
          ...providers.swarm,
          refreshSeconds: providers.swarm.refreshSeconds > 0 ? providers.swarm.refreshSeconds : 15_000,
          httpClientTimeout: Math.max(0, providers.swarm.httpClientTimeout ?? 0),
        },
      }),
    },
    ...(tracing && { tracing: { ...tracing, resourceAttributes: tracing.resourceAttributes ?? tracing.globalAttributes } }),
    ...(certificatesResolvers && {
      certificatesResolvers: Object.fromEntries(
        Object.entries(certificatesResolvers).map(([name, resolver]) => [name, completed(resolver)]),
      ),
    }),
  };
}

type Resolver = NonNullable<StaticConfiguration['certificatesResolvers']>[string];

function completed(resolver: Resolver): Resolver {
  const { acme } = resolver;
  if (acme === undefined) return resolver;
  const { dnsChallenge } = acme;
  const propagation = dnsChallenge && {
    ...dnsChallenge.propagation,
    ...(dnsChallenge.disablePropagationCheck && { disableChecks: true }),
    ...((dnsChallenge.delayBeforeCheck ?? 0) > 0 && { delayBeforeChecks: dnsChallenge.delayBeforeCheck }),
  };
  return {
    ...resolver,
    acme: {
      ...acme,
      caServer: currentDirectory(acme.caServer),
      ...(dnsChallenge && {
        dnsChallenge: { ...dnsChallenge, propagation: Object.keys(propagation!).length > 0 ? propagation : dnsChallenge.propagation },
      }),
    },
  };
}

/** Let's Encrypt's first protocol has ended; its addresses are read as those of the second. */
function currentDirectory(caServer: string): string {
  if (caServer === '') return 'https://acme-v02.api.letsencrypt.org/directory';
  return caServer
    .replace(/^https:\/\/acme-v01\.api\.letsencrypt\.org/, 'https://acme-v02.api.letsencrypt.org')
    .replace(/^https:\/\/acme-staging\.api\.letsencrypt\.org/, 'https://acme-staging-v02.api.letsencrypt.org');
}

/** What cannot be started with. Expects a completed configuration. */
export function validate(configuration: StaticConfiguration, source: string): ConfigError[] {
  const problems: ConfigError[] = [];
  const refuse = (code: ConstructorParameters<typeof ConfigError>[0], object: string, message: string): void => {
    problems.push(new ConfigError(code, message, { source, object }));
  };
  for (const [name, { acme, tailscale }] of Object.entries(configuration.certificatesResolvers ?? {})) {
    const object = `certificatesResolvers.${name}`;
    if (acme !== undefined && tailscale !== undefined) refuse('config.conflict', object, 'has both acme and tailscale; keep one');
    if (acme !== undefined && acme.storage === '') refuse('config.missing', `${object}.acme.storage`, 'is empty; write a file');
  }
  const syntax = configuration.core?.defaultRuleSyntax ?? 'v3';
  if (syntax !== 'v2' && syntax !== 'v3') refuse('config.bad-value', 'core.defaultRuleSyntax', `'${syntax}' is neither v2 nor v3`);
  for (const name of configuration.providers.precedence ?? []) {
    if (KNOWN_PROVIDERS.includes(name)) continue;
    const near = nearest(name, KNOWN_PROVIDERS);
    refuse('config.bad-value', 'providers.precedence', `'${name}' is no provider${near === undefined ? '' : `; did you mean '${near}'?`}`);
  }
  const nginx = configuration.providers.kubernetesIngressNGINX;
  if (nginx?.watchNamespace && nginx.watchNamespaceSelector)
    refuse('config.conflict', 'providers.kubernetesIngressNGINX', 'has both watchNamespace and watchNamespaceSelector; keep one');
  if (configuration.providers.knative !== undefined && !configuration.experimental?.knative)
    refuse('config.missing', 'providers.knative', 'wants experimental.knative: true');
  if (!/^\/[a-zA-Z0-9/_.:~-]*$/.test(configuration.api?.basePath ?? '/'))
    refuse('config.bad-value', 'api.basePath', `'${configuration.api?.basePath}' is no path; it begins with a slash and has no blanks`);
  for (const [url, instead] of Object.entries(configuration.ocsp?.responderOverrides ?? {}))
    if (instead === '') refuse('config.missing', `ocsp.responderOverrides.${url}`, 'is empty; write a URL');
  validateOtlp(configuration, refuse);
  validateEdge(configuration, refuse);
  return problems;
}

/** What is read as Traefik reads it, and refused once entry points are to be opened. */
export function validateStart({ entryPoints = {} }: StaticConfiguration, source: string): ConfigError[] {
  const unbelieving = Object.entries(entryPoints).filter(
    ([, { proxyProtocol }]) => proxyProtocol !== undefined && !proxyProtocol.insecure && (proxyProtocol.trustedIPs ?? []).length === 0,
  );
  return unbelieving.map(
    ([name]) =>
      new ConfigError('config.missing', 'believes nobody; write trustedIPs, or insecure: true', {
        source,
        object: `entryPoints.${name}.proxyProtocol`,
      }),
  );
}

type Refuse = (code: ConstructorParameters<typeof ConfigError>[0], object: string, message: string) => void;

function validateOtlp({ log, accessLog, tracing, metrics, experimental }: StaticConfiguration, refuse: Refuse): void {
  for (const [section, value] of Object.entries({ log, accessLog, tracing, metrics })) {
    const otlp = value?.otlp;
    if (otlp === undefined) continue;
    if (section.toLowerCase().endsWith('log') && !experimental?.otlplogs)
      refuse('config.missing', `${section}.otlp`, 'wants experimental.otlplogs: true');
    if (otlp.grpc?.insecure && otlp.grpc.tls !== undefined)
      refuse('config.conflict', `${section}.otlp.grpc`, 'has both tls and insecure; keep one');
  }
}

function validateEdge({ edge, entryPoints = {} }: StaticConfiguration, refuse: Refuse): void {
  for (const name of Object.keys(edge.entryPoints ?? {})) {
    if (entryPoints[name] !== undefined) continue;
    const near = nearest(name, Object.keys(entryPoints));
    refuse(
      'config.reference',
      `edge.entryPoints.${name}`,
      `no entry point has this name${near === undefined ? `; known are ${Object.keys(entryPoints).join(', ')}` : `; did you mean '${near}'?`}`,
    );
  }
  const tls = edge.relay?.tls;
  if (tls !== undefined && (tls.certFile === undefined) !== (tls.keyFile === undefined))
    refuse('config.missing', 'edge.relay.tls', 'wants both certFile and keyFile');
}
