import { scalarText } from '../../base/decode.ts';
import { ConfigError, type Place } from '../../base/errors.ts';
import { at, isTree, keyOf, type Tree } from './tree.ts';

/** One change that `migrate` makes. A path has the names as the file writes them. */
export type Edit = { readonly remove: readonly string[] } | { readonly set: readonly string[]; readonly value: unknown };

export interface Rewriting {
  /** Where the option stands; `*` is any name. */
  readonly path: string;
  /** Why it is gone. */
  readonly reason: string;
  /** Its removal leaves a gap that a person must fill. */
  readonly byHand?: true;
  /** Works still: the start warns only. */
  readonly works?: true;
  /** What stands in its place, beside its removal. `names` are those that `*` stood for. */
  readonly instead?: (value: unknown, root: Tree, names: readonly string[]) => Edit[];
}

const move =
  (to: string) =>
  (value: unknown, _root: Tree, names: readonly string[]): Edit[] => {
    let star = 0;
    return [{ set: to.split('.').map((part) => (part === '*' ? names[star++]! : part)), value }];
  };

const caOptional = (provider: string): Rewriting => ({
  path: `providers.${provider}tls.caOptional`,
  reason: 'it never had a meaning for a client',
});
const namespace = (provider: string): Rewriting => ({
  path: `providers.${provider}.namespace`,
  reason: 'several namespaces can be named',
  instead: (value) => [{ set: ['providers', provider, 'namespaces'], value: [value] }],
});
const tracer = (name: string): Rewriting => ({
  path: `tracing.${name}`,
  reason: 'spans are sent by OpenTelemetry only, to a collector whose address must be right',
  byHand: true,
  instead: () => [{ set: ['tracing', 'otlp', 'http', 'endpoint'], value: 'http://localhost:4318/v1/traces' }],
});

/** The options of the Docker provider move to the Swarm provider. */
function toSwarm(value: unknown, root: Tree): Edit[] {
  if (/^(false|f|0)$/i.test(scalarText(value) ?? '')) return [];
  const docker = at(root, ['providers', 'docker']);
  const kept = isTree(docker)
    ? Object.entries(docker)
        .filter(([name]) => !/^(swarmMode|swarmModeRefreshSeconds|useBindPortIP)$/i.test(name))
        .map(([name, option]) => [name, isTree(option) ? without(option, 'caOptional') : option])
    : [];
  return [
    { remove: ['providers', 'docker'] },
    { set: ['providers', 'swarm'], value: Object.fromEntries(kept.length > 0 ? kept : [['endpoint', 'unix:///var/run/docker.sock']]) },
  ];
}

const without = (tree: Tree, name: string): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([key]) => key.toLowerCase() !== name.toLowerCase())) as Tree;

/** What Traefik 2 had and Traefik 3 has not, or will not have. */
export const REWRITINGS: readonly Rewriting[] = [
  { path: 'pilot', reason: 'the service Pilot has ended' },
  { path: 'experimental.hub', reason: 'Hub is connected in another way' },
  {
    path: 'experimental.http3',
    reason: 'HTTP/3 is switched on at the entry point (`entryPoints.<name>.http3`)',
  },
  { path: 'experimental.kubernetesGateway', reason: 'the provider needs no switch', works: true },
  { path: 'experimental.kubernetesIngressNGINX', reason: 'the provider needs no switch', works: true },
  { path: 'providers.marathon', reason: 'the provider exists no more' },
  { path: 'providers.docker.swarmMode', reason: 'Swarm is a provider of its own', instead: toSwarm },
  {
    path: 'providers.docker.swarmModeRefreshSeconds',
    reason: 'Swarm is a provider of its own',
    instead: move('providers.swarm.refreshSeconds'),
  },
  ...['docker.', 'swarm.', 'etcd.', 'redis.', 'consul.', 'consulCatalog.endpoint.', 'nomad.endpoint.', 'http.'].map(caOptional),
  ...['consul', 'consulCatalog', 'nomad'].map(namespace),
  {
    path: 'providers.kubernetesIngress.disableIngressClassLookup',
    reason: 'one option says it for all objects outside of namespaces',
    works: true,
    instead: move('providers.kubernetesIngress.disableClusterScopeResources'),
  },
  { path: 'metrics.influxDB', reason: 'InfluxDB 1 is not served any more' },
  { path: 'metrics.openTelemetry', reason: 'it was renamed', instead: move('metrics.otlp') },
  { path: 'tracing.openTelemetry', reason: 'it was renamed', instead: move('tracing.otlp') },
  { path: 'tracing.spanNameLimit', reason: 'names of spans have a fixed length' },
  ...['jaeger', 'zipkin', 'datadog', 'instana', 'haystack', 'elastic'].map(tracer),
  {
    path: 'tracing.globalAttributes',
    reason: 'it was renamed',
    works: true,
    instead: move('tracing.resourceAttributes'),
  },
  { path: 'core.defaultRuleSyntax', reason: 'rules are written in v3; `migrate` rewrites them too', works: true },
  {
    path: 'certificatesResolvers.*.acme.dnsChallenge.delayBeforeCheck',
    reason: 'it was renamed',
    works: true,
    instead: move('certificatesResolvers.*.acme.dnsChallenge.propagation.delayBeforeChecks'),
  },
  {
    path: 'certificatesResolvers.*.acme.dnsChallenge.disablePropagationCheck',
    reason: 'it was renamed',
    works: true,
    instead: move('certificatesResolvers.*.acme.dnsChallenge.propagation.disableChecks'),
  },
];

export interface Found {
  readonly rewriting: Rewriting;
  /** As it was written. */
  readonly path: readonly string[];
  readonly edits: readonly Edit[];
}

/** The removed and renamed options of a tree. */
export function findRemoved(root: Tree, rewritings: readonly Rewriting[] = REWRITINGS): Found[] {
  const found: Found[] = [];
  for (const rewriting of rewritings) {
    const search = (value: unknown, rest: readonly string[], path: readonly string[], names: readonly string[]): void => {
      if (rest.length === 0) {
        if (value === undefined || value === null) return;
        found.push({ rewriting, path, edits: [{ remove: path }, ...(rewriting.instead?.(value, root, names) ?? [])] });
        return;
      }
      if (!isTree(value)) return;
      const [part, ...further] = rest;
      if (part === '*') for (const [name, child] of Object.entries(value)) search(child, further, [...path, name], [...names, name]);
      else {
        const key = keyOf(value, part!);
        if (key !== undefined) search(value[key], further, [...path, key], names);
      }
    };
    search(root, rewriting.path.split('.'), [], []);
  }
  return found;
}

export type SourceKind = 'file' | 'flags' | 'environment' | 'store';

/** The lines that say an edit in the way of the source: `a.b: value`, `--a.b=value`, `TRAEFIK_A_B=value`. */
export function linesOf(edits: readonly Edit[], kind: SourceKind): string[] {
  return edits.flatMap((edit) => ('set' in edit ? flatten(edit.set, edit.value) : [])).map(([path, text]) => spell(path, text, kind));
}

function spell(path: readonly string[], text: string, kind: SourceKind): string {
  if (kind === 'flags') return `--${path.join('.')}=${text}`;
  if (kind === 'store') return `${path.join('/')} = ${text}`;
  if (kind === 'environment') return `TRAEFIK_${path.join('_').toUpperCase()}=${text}`;
  return `${path.join('.')}: ${text}`;
}

function flatten(path: readonly string[], value: unknown): [readonly string[], string][] {
  if (isTree(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([name, child]) => flatten([...path, name], child));
  if (isTree(value)) return [[path, 'true']];
  return [[path, Array.isArray(value) ? value.join(',') : String(value)]];
}

/** What the start says of removed and renamed options. */
export function judgeRemoved(
  tree: Tree,
  kind: SourceKind,
  placeOf: (path: readonly string[]) => Place,
): { problems: ConfigError[]; warnings: ConfigError[] } {
  const problems: ConfigError[] = [];
  const warnings: ConfigError[] = [];
  for (const { rewriting, path, edits } of findRemoved(tree)) {
    const lines = linesOf(edits, kind);
    const remedy = lines.length === 0 ? 'remove it' : `write ${lines.map((line) => `'${line}'`).join(' and ')}`;
    const message = `${rewriting.works ? 'is deprecated' : 'was removed in version 3'}, ${rewriting.reason}; ${remedy}`;
    const error = new ConfigError('config.removed', message, { ...placeOf(path), object: path.join('.') });
    (rewriting.works ? warnings : problems).push(error);
  }
  return { problems, warnings };
}
