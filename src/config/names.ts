/** `blog` and `docker` make `blog@docker`; a name that has an `@` already is taken as it is. */
export const qualify = (name: string, provider: string): string => (name.includes('@') ? name : `${name}@${provider}`);

/** The provider part of a qualified name: what stands between the first `@` and the next; empty without. */
export function providerOf(name: string): string {
  const at = name.indexOf('@');
  if (at === -1) return '';
  const next = name.indexOf('@', at + 1);
  return name.slice(at + 1, next === -1 ? undefined : next);
}

export const baseName = (name: string): string => {
  const at = name.indexOf('@');
  return at === -1 ? name : name.slice(0, at);
};

/** First wins where priorities are equal. Traefik's default order; every other provider ranks below. */
export const DEFAULT_PRECEDENCE = [
  'kubernetesgateway',
  'kubernetescrd',
  'kubernetes',
  'kubernetesingressnginx',
  'swarm',
  'docker',
  'file',
  'redis',
  'knative',
  'consul',
  'consulcatalog',
  'nomad',
  'etcd',
  'ecs',
  'http',
  'zookeeper',
  'rest',
] as const;

/** Rank of a provider, 0 first; `docker/remote`-like names rank with what stands before the slash. */
export function providerRank(provider: string, precedence: readonly string[] = DEFAULT_PRECEDENCE): number {
  const index = precedence.indexOf(provider);
  return index === -1 ? precedence.length : index;
}
