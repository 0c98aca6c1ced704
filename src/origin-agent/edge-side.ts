import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import { ConfigError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { fold } from '../config/fold.ts';
import { providerOf, qualify } from '../config/names.ts';
import type { RuntimeConfiguration } from '../config/runtime.ts';
import type { StaticConfiguration } from '../config/static.ts';
import { createPublisher, type Publisher } from '../kv-sync/publisher.ts';
import { candidateState } from '../proxy/services/candidate-state.ts';
import type { RelayState } from './data-plane.ts';

export interface EdgeSideOptions {
  readonly edge: StaticConfiguration['edge'];
  readonly cwd: string;
  readonly cells: Cells;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when relays shall serve or believe something else. */
  readonly onRelayState: (state: RelayState) => void;
  readonly fetch?: typeof fetch;
}

/** What an agent does for the edge: publishes what is public, renews its lease, tells its relays what they serve. */
export interface EdgeSide {
  /** From here on the hub is told. Before, an agent that has read half of its sources would take the other half away from the edge. */
  begin(): void;
  /**
   * Takes over the configuration in force: relays serve it. While the copy of a provider that cannot be read is in it, the hub is not
   * told: it has what was published before, or others have published something newer since.
   */
  update(runtime: RuntimeConfiguration, isOnCopy: boolean): void;
  /** Looks at the health of servers again. */
  healthChanged(): void;
  close(): Promise<void>;
}

/** A name that is public no more is served a little longer: an edge may be a minute behind. */
const FORGET_NAME_MS = 180_000;
/** How often keys and clock of the hub are looked at; pings bring them every 20 s. */
const REFRESH_MS = 1_000;

/** What this agent is called among others: `default` is everybody's, and names must differ. */
export const nodeName = ({ site }: StaticConfiguration['edge']): string => (site === 'default' ? hostname().toLowerCase() : site);

/** Undefined when the configuration names no hub. Throws ConfigError when the options of `edge` do not go together. */
export async function startEdgeSide(options: EdgeSideOptions): Promise<EdgeSide | undefined> {
  const { edge, clock, log, cells } = options;
  if (edge.hub?.url === undefined) return undefined;
  const entryPoints = edge.entryPoints ?? {};
  if (edge.relay?.publicUrl === undefined) {
    throw new ConfigError('config.missing', 'The edge must reach this agent; write the address of its relay, https://…', {
      object: 'edge.relay.publicUrl',
    });
  }
  const name = nodeName(edge);
  const publisher: Publisher = await createPublisher({
    hubUrl: edge.hub.url,
    stateDirectory: resolve(options.cwd, edge.stateDirectory),
    name,
    kind: 'agent',
    ...(edge.code !== undefined && { code: edge.code }),
    link: { type: 'https', address: edge.relay.publicUrl },
    forgetAfterMs: edge.forgetAfter,
    entryPoints,
    clock,
    log,
    ...(options.fetch !== undefined && { fetch: options.fetch }),
  });
  const lastPublic = new Map<string, number>();
  let runtime: RuntimeConfiguration | undefined;
  let told = '';
  let cancel = (): void => {};

  function tellRelays(): void {
    const now = clock.now();
    for (const [key, at] of lastPublic) if (now - at > FORGET_NAME_MS) lastPublic.delete(key);
    const grantKeys = publisher.grantKeys();
    const published = [...lastPublic.keys()];
    // Offsets below a second are noise of the network.
    const clockOffsetMs = Math.round((publisher.hubNow() - now) / 1000) * 1000;
    const text = JSON.stringify([grantKeys, published, clockOffsetMs]);
    if (text === told) return;
    told = text;
    options.onRelayState({ agentId: name, grantKeys, published, clockOffsetMs });
  }

  function refresh(): void {
    if (runtime !== undefined) rememberPublic(runtime);
    tellRelays();
    cancel = clock.after(REFRESH_MS, refresh);
  }

  function rememberPublic(next: RuntimeConfiguration): void {
    const now = clock.now();
    for (const key of publicNames) if (inForce(next, key)) lastPublic.set(key, now);
  }

  let begun = false;
  let publicNames: readonly string[] = [];
  let isHeld = false;
  function update(next: RuntimeConfiguration, isOnCopy: boolean): void {
    runtime = next;
    if (isOnCopy && !isHeld) log.warn('Nothing is published until every provider can be read');
    isHeld = isOnCopy;
    try {
      publicNames = namesOf(fold(next, { entryPoints, agent: {} }));
    } catch (error) {
      // Too many routers: the publisher says so, and what was public stays.
      log.debug('Nothing new is public', { error: (error as Error).message });
    }
    rememberPublic(next);
    tellRelays();
    tellHub();
  }

  function tellHub(): void {
    if (!begun || runtime === undefined) return;
    if (!isHeld) publisher.publish(runtime);
    publisher.health(withoutServers(runtime, cells));
  }

  refresh();
  return {
    update,
    begin() {
      begun = true;
      tellHub();
    },
    healthChanged() {
      if (begun && runtime !== undefined) publisher.health(withoutServers(runtime, cells));
    },
    async close() {
      cancel();
      await publisher.close();
    },
  };
}

const namesOf = ({ objects }: ReturnType<typeof fold>): string[] => [
  ...Object.keys(objects.services).map((service) => `service ${service}`),
  ...Object.keys(objects.routers).map((router) => `router ${router}`),
];

function inForce({ http }: RuntimeConfiguration, key: string): boolean {
  const name = key.slice(key.indexOf(' ') + 1);
  return Object.hasOwn(key.startsWith('service ') ? http.services : http.routers, name);
}

/** Services, and routers that lead to them, of which no server is up. */
function withoutServers({ http }: RuntimeConfiguration, cells: Cells): string[] {
  const down = Object.entries(http.services)
    .filter(([service, { config, status }]) => {
      if (status === 'disabled' || config.loadBalancer === undefined) return false;
      return (config.loadBalancer.servers ?? []).every(({ url = '' }) => candidateState(cells, service, url).isDown());
    })
    .map(([service]) => service);
  const isDown = new Set(down);
  const routers = Object.entries(http.routers).filter(([router, { config }]) => isDown.has(qualify(config.service, providerOf(router))));
  return [...down, ...routers.map(([router]) => router)];
}
