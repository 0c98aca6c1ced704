import type { DynamicConfiguration } from '../../config/dynamic.ts';
import type { StaticConfiguration } from '../../config/static.ts';
import { loadStatic } from '../../config/static-sources.ts';

/** Without a static configuration every entry point that a router names is taken to exist, and everything of ours to be switched on. */
export function imagineStatic(configurations: readonly DynamicConfiguration[]): StaticConfiguration {
  const [tcp, udp] = entryPointsOf(configurations);
  const { configuration } = loadStatic({
    arguments: ['--api', '--ping.manualRouting', '--metrics.prometheus.manualRouting', '--providers.rest', '--providers.file.filename=x'],
    environment: {},
    readFile: () => undefined,
  });
  const base = configuration!;
  const model = base.entryPoints!.http!;
  return {
    ...base,
    entryPoints: Object.fromEntries([
      ...tcp.map((name) => [name, { ...model, address: '' }]),
      ...udp.map((name) => [name, { ...model, address: '/udp' }]),
    ]),
  };
}

/** Names of entry points that routers mean, those of TCP (and HTTP) and those of UDP. */
export function entryPointsOf(configurations: readonly DynamicConfiguration[]): [tcp: string[], udp: string[]] {
  const namesOf = (protocol: 'http' | 'tcp' | 'udp'): Set<string> => {
    const names = new Set<string>();
    for (const configuration of configurations)
      for (const router of Object.values(configuration[protocol]?.routers ?? {}))
        for (const name of (router as { entryPoints?: string[] }).entryPoints ?? []) names.add(name);
    return names;
  };
  const tcp = new Set([...namesOf('http'), ...namesOf('tcp')]);
  const udp = new Set([...namesOf('udp')].filter((name) => !tcp.has(name)));
  if (tcp.size === 0) tcp.add('web');
  if (udp.size === 0) udp.add('udp');
  return [[...tcp].sort(), [...udp].sort()];
}
