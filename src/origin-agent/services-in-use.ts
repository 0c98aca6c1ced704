import { providerOf, qualify } from '../config/names.ts';
import type { RuntimeConfiguration } from '../config/runtime.ts';

interface Parents {
  readonly loadBalancer?: object;
  readonly weighted?: { readonly services?: readonly { readonly name?: string }[] };
  readonly highestRandomWeight?: { readonly services?: readonly { readonly name?: string }[] };
  readonly mirroring?: { readonly service?: string; readonly mirrors?: readonly { readonly name?: string }[] };
  readonly failover?: { readonly service?: string; readonly fallback?: string };
}

/** Services that some router leads to, by itself or through others, and those of error pages. Nobody probes the others. */
export function servicesInUse({ http, tcp }: RuntimeConfiguration, protocol: 'http' | 'tcp'): Set<string> {
  const services: Readonly<Record<string, { readonly config: object; readonly usedBy?: readonly string[] }>> =
    protocol === 'http' ? http.services : tcp.services;
  const found = new Set<string>();
  const visit = (name: string): void => {
    const service = services[name];
    if (service === undefined || found.has(name)) return;
    found.add(name);
    const { loadBalancer, weighted, highestRandomWeight, mirroring, failover } = service.config as Parents;
    if (loadBalancer !== undefined) return;
    const children = [...(weighted?.services ?? []), ...(highestRandomWeight?.services ?? []), ...(mirroring?.mirrors ?? [])];
    for (const child of [...children.map((one) => one.name), mirroring?.service, failover?.service, failover?.fallback])
      if (child !== undefined && child !== '') visit(qualify(child, providerOf(name)));
  };
  for (const name in services) if ((services[name]!.usedBy?.length ?? 0) > 0) visit(name);
  if (protocol === 'tcp') return found;
  for (const [name, { config, status }] of Object.entries(http.middlewares)) {
    const page = (config as { errors?: { service?: string } }).errors?.service;
    if (page !== undefined && status !== 'disabled') visit(qualify(page, providerOf(name)));
  }
  return found;
}
