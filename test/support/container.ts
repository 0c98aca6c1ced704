import { DEFAULT_STOP_SIGNALS, type DiscoveredContainer } from '../../src/providers/docker-container.ts';

/** A running container `web` at 172.18.0.2:80, but for what is said. */
export const containerOf = (changes: Partial<DiscoveredContainer> = {}): DiscoveredContainer => ({
  id: 'abc',
  name: 'web',
  serviceName: changes.name ?? 'web',
  status: 'running',
  health: '',
  labels: {},
  networkMode: 'front',
  ports: [{ port: 80, protocol: 'tcp', bindings: [] }],
  networks: new Map([['front', { address: '172.18.0.2' }]]),
  stopSignals: DEFAULT_STOP_SIGNALS,
  ...changes,
});
