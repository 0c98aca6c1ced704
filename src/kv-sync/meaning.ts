interface Config {
  readonly rule?: string;
  readonly service?: string;
  readonly entryPoints?: readonly string[];
  readonly middlewares?: readonly string[];
  readonly loadBalancer?: { readonly servers?: readonly { readonly url?: string; readonly address?: string }[] };
}

/** What an object does, in a few words for people. */
export function meaningOf(kind: string, config: object): string {
  const { rule, service, entryPoints, middlewares, loadBalancer } = config as Config;
  if (kind === 'services') {
    const servers = (loadBalancer?.servers ?? []).map(({ url, address }) => url ?? address);
    return servers.join(', ') || Object.keys(config).join(', ');
  }
  if (kind === 'middlewares') return Object.keys(config).join(', ');
  if (kind !== 'routers') return '';
  const through = middlewares?.length ? ` through ${middlewares.join(', ')}` : '';
  const by = entryPoints?.join(' and ');
  return [rule, by && `by ${by}`, service && `→ ${service}`].filter(Boolean).join(' ') + through;
}
