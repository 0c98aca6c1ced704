import { encode } from '../base/encode.ts';
import { Secret } from '../base/log.ts';
import { edgeVerdict, mayCountAtEdge, middlewaresOf, servicesOf, type Word, wordOf } from './chain.ts';
import { directServerProblem } from './direct-server.ts';
import { httpRouter, httpService, middleware, serversTransport } from './dynamic.ts';
import type { EdgeScheme, FoldOptions } from './fold.ts';
import { providerOf, qualify } from './names.ts';
import { Fingerprinted, type UnsealedObjects } from './publication.ts';
import { childServices } from './references.ts';
import type { RuntimeConfiguration, RuntimeHttpRouter } from './runtime.ts';
import { canonicalJson } from './snapshot.ts';

export interface PublicRouter {
  readonly config: RuntimeHttpRouter;
  /** Empty for the child of another router. */
  readonly entryPoints: readonly EdgeScheme[];
}

type Service = RuntimeConfiguration['http']['services'][string]['config'];
type Published<Kind extends keyof UnsealedObjects> = Record<string, UnsealedObjects[Kind][string]>;

const toSecret = (value: string): Secret => new Secret(value);

/** The routers in the form in which they are published, and all that they need at the edge. */
export function collectPublic(
  runtime: RuntimeConfiguration,
  routers: ReadonlyMap<string, PublicRouter>,
  { agent }: FoldOptions,
  note: (object: string, message: string) => void,
): UnsealedObjects {
  const { http } = runtime;
  const objects = {
    routers: {} as Published<'routers'>,
    services: {} as Published<'services'>,
    middlewares: {} as Published<'middlewares'>,
    serversTransports: {} as Published<'serversTransports'>,
  };
  // A router with edge.local asks for more of the same objects.
  const seen = new Set<string>();
  const isNew = (kind: string, name: string, local: boolean): boolean => {
    const key = `${kind} ${local} ${name}`;
    return !seen.has(key) && seen.add(key) !== undefined;
  };

  function addService(name: string, local: boolean): void {
    const config = http.services[name]?.config;
    if (config === undefined || !isNew('service', name, local)) return;
    if (agent !== undefined && isFolded(config)) {
      objects.services[name] = { config: {}, folded: foldService(name, config, agent.weight ?? 1) };
      return;
    }
    const problem = (config.loadBalancer?.servers ?? [])
      .map(({ url }) => directServerProblem(url ?? ''))
      .find((text) => text !== undefined);
    if (problem !== undefined) {
      if (objects.services[name] === undefined) note(`http.services.${name}`, problem);
      objects.services[name] = { broken: problem };
      return;
    }
    objects.services[name] = { config: encode(httpService, bare(config), toSecret) };
    const provider = providerOf(name);
    for (const child of childServices(config)) addService(qualify(child, provider), local);
    for (const child of config.middlewares ?? []) addMiddleware(qualify(child, provider), local);
    const transport = config.loadBalancer?.serversTransport;
    if (transport !== undefined && transport !== '') addTransport(qualify(transport, provider));
  }

  /** A Worker's fetch knows time limits and nothing else of a transport; certificates are nobody's business there. */
  function addTransport(name: string): void {
    const config = http.serversTransports[name]?.config;
    if (config === undefined) return;
    const { forwardingTimeouts } = config;
    objects.serversTransports[name] = { config: encode(serversTransport, { forwardingTimeouts }) };
  }

  function addMiddleware(name: string, local: boolean): void {
    const config = http.middlewares[name]?.config;
    const word = config === undefined ? undefined : wordOf(config);
    if (word === undefined || !isNew('middleware', name, local)) return;
    if (objects.middlewares[name]?.options === undefined) objects.middlewares[name] = publishWord(word, local);
    for (const child of middlewaresOf(name, word)) addMiddleware(child, local);
    for (const service of servicesOf(name, word)) addService(service, local);
  }

  for (const [name, { config, entryPoints }] of routers) {
    const local = config.edge?.local === true;
    for (const middleware of config.middlewares) addMiddleware(middleware, local);
    addService(config.service, local);
    // Whether clients of the edge use TLS is the scheme's matter; names of options and resolvers mean nothing there.
    const { tls: _tls, ...rest } = config;
    objects.routers[name] = {
      config: encode(httpRouter, { ...rest, entryPoints }),
      ...(demandsCertificate(config, runtime) && { clientCertificate: true }),
    };
  }
  return objects;
}

/** Kinds whose children only the agent can judge stay behind its relay as a whole: which server is well, and copies of bodies. */
const isFolded = (config: Service): boolean => {
  const { mirroring, failover } = config as { mirroring?: unknown; failover?: unknown };
  if (mirroring !== undefined || failover !== undefined) return true;
  return config.loadBalancer !== undefined && config.edge?.direct !== true;
};

function foldService(name: string, config: Service, weight: number) {
  const { servers: _servers, ...options } = config.loadBalancer ?? {};
  const cookie = config.loadBalancer?.sticky?.cookie;
  const written = encode(httpService, { ...config, loadBalancer: config.loadBalancer && options });
  return {
    weight,
    ...(cookie !== undefined && { stickyCookie: siteCookie(cookie.name, name) }),
    digest: new Fingerprinted(canonicalJson(written)),
  };
}

/** Stands beside the cookie that remembers the server, under the same name in all publications. */
const siteCookie = (cookie: string | undefined, service: string): string =>
  `${cookie === undefined || cookie === '' ? `_${service.replaceAll(/[^A-Za-z0-9]/g, '_')}` : cookie}_site`;

/** A service as the Worker runs it: nobody asks its servers there whether they are well, and Host is that of the URL. */
function bare(config: Service): Service {
  if (config.loadBalancer === undefined) return config;
  const { healthCheck: _healthCheck, ...loadBalancer } = config.loadBalancer;
  return { ...config, loadBalancer: { ...loadBalancer, passHostHeader: false } };
}

/** A word that cannot run at the edge stays at the agent; the edge knows it by its fingerprint. */
function publishWord({ kind, options }: Word, local: boolean): UnsealedObjects['middlewares'][string] {
  const encoded = (secrets?: typeof toSecret): unknown =>
    (encode(middleware, { [kind]: options }, secrets) as Record<string, unknown>)[kind];
  const verdict = edgeVerdict({ kind, options });
  if (verdict === true) return { kind, options: encoded(toSecret) };
  return {
    kind,
    withheld: verdict,
    digest: new Fingerprinted(canonicalJson(encoded() ?? options)),
    ...(local && mayCountAtEdge({ kind, options }) && { options: encoded(toSecret) }),
  };
}

const DEMANDING = new Set(['RequireAnyClientCert', 'RequireAndVerifyClientCert']);

/** Options that nobody knows demand a certificate too: a guard is never left out. */
function demandsCertificate({ tls }: RuntimeHttpRouter, { tls: { options } }: RuntimeConfiguration): boolean {
  if (tls === undefined) return false;
  const name = tls.options ?? 'default';
  const found = options[name] as { clientAuth?: { clientAuthType?: string; caFiles?: readonly string[] } } | undefined;
  if (found === undefined) return name !== 'default';
  const { clientAuthType = '', caFiles = [] } = found.clientAuth ?? {};
  // CA files alone mean RequireAndVerifyClientCert, as in Traefik.
  return DEMANDING.has(clientAuthType) || (clientAuthType === '' && caFiles.length > 0);
}
