import { providerOf, qualify } from '../../config/names.ts';
import type { RuntimeConfiguration } from '../../config/runtime.ts';
import type { ExplainedService } from './model.ts';

interface Shape {
  readonly loadBalancer?: { readonly servers?: readonly { readonly url?: string; readonly address?: string }[] };
  readonly weighted?: { readonly services?: readonly { readonly name?: string; readonly weight?: number }[] };
  readonly highestRandomWeight?: { readonly services?: readonly { readonly name?: string; readonly weight?: number }[] };
  readonly mirroring?: { readonly service?: string; readonly mirrors?: readonly { readonly name?: string }[] };
  readonly failover?: { readonly service?: string; readonly fallback?: string };
}

const KINDS = ['loadBalancer', 'weighted', 'highestRandomWeight', 'mirroring', 'failover'] as const;

/** A service with all below it. */
export function explainService(
  name: string,
  { http, tcp }: RuntimeConfiguration,
  protocol: 'http' | 'tcp' = 'http',
  path: readonly string[] = [],
): ExplainedService {
  const object = (protocol === 'http' ? http : tcp).services[name];
  const empty = { name, kind: '', servers: [], children: [] };
  if (object === undefined) return { ...empty, problem: 'does not exist' };
  if (path.includes(name)) return { ...empty, problem: 'contains itself' };
  if (object.provider === 'internal') return { ...empty, kind: 'internal' };
  const config = object.config as Shape;
  const kind = KINDS.find((candidate) => config[candidate] !== undefined) ?? '';
  const servers = (config.loadBalancer?.servers ?? []).map(({ url, address }) => url ?? address ?? '');
  const full = (child: string | undefined): string[] => (child === undefined || child === '' ? [] : [qualify(child, providerOf(name))]);
  const children = [
    ...[...(config.weighted?.services ?? []), ...(config.highestRandomWeight?.services ?? [])].flatMap((child) => full(child.name)),
    ...full(config.mirroring?.service),
    ...(config.mirroring?.mirrors ?? []).flatMap((mirror) => full(mirror.name)),
    ...full(config.failover?.service),
    ...full(config.failover?.fallback),
  ];
  const problem =
    object.status === 'enabled'
      ? kind === 'loadBalancer' && servers.length === 0
        ? 'has no server: 503'
        : undefined
      : object.errors.join('; ');
  return {
    name,
    kind,
    servers,
    children: children.map((child) => explainService(child, { http, tcp } as RuntimeConfiguration, protocol, [...path, name])),
    ...(problem !== undefined && { problem }),
  };
}
