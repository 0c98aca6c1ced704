import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import type { ProxyRequest } from '../base/message.ts';
import type { EdgeHealth } from '../config/kv-layout.ts';
import type { RelayErrand } from '../proxy/platform.ts';
import { createWeightedRoundRobin } from '../proxy/services/balancer.ts';
import { candidateState } from '../proxy/services/candidate-state.ts';

/** A candidate of an errand. */
export type Place = RelayErrand['sites'][number];

export interface SiteChooser {
  /** The site to ask next, preferably the one with index `wanted`; undefined when all were asked. */
  next(request: ProxyRequest, wanted: number | undefined, asked: ReadonlySet<Place>): Place | undefined;
  /** Whether any site is believed to have a healthy server. */
  available(): boolean;
}

/** Sites that an isolate keeps away from for a while; shared by all errands. */
export interface Avoidance {
  avoid(key: string, ms: number): void;
  clear(key: string): void;
  isAvoided(key: string): boolean;
}

export function createAvoidance(clock: Pick<Clock, 'now'>): Avoidance {
  const until = new Map<string, number>();
  return {
    avoid: (key, ms) => void until.set(key, clock.now() + ms),
    clear: (key) => void until.delete(key),
    isAvoided(key) {
      const end = until.get(key);
      if (end === undefined) return false;
      if (end > clock.now()) return true;
      until.delete(key);
      return false;
    },
  };
}

/** Key of one service or router at a site, for avoidance; the site alone is a key too. */
export const placeKey = (site: string, name: string): string => `${site} ${name}`;

export interface SiteChooserContext {
  readonly health: () => EdgeHealth;
  readonly avoidance: Avoidance;
  readonly cells: Cells;
  readonly random: () => number;
}

/**
 * By weight among the sites that seem well; those with a lapsed lease, without a healthy server or avoided come last, in the same
 * way; none is ever left out.
 */
export function createSiteChooser(places: readonly Place[], context: SiteChooserContext): SiteChooser {
  const { avoidance, cells, health, random } = context;
  const owner = `relay ${places.map(({ site, name }) => placeKey(site, name)).join(' ')}`;
  const balancer = createWeightedRoundRobin(
    places.map(({ site, weight }) => ({ name: site, weight })),
    places.map(({ site }) => candidateState(cells, owner, site)),
    random,
  );

  function seemsWell({ site, name }: Place): boolean {
    const state = health()[site];
    if (state !== undefined && (state.lapsed || state.down?.includes(name))) return false;
    return !avoidance.isAvoided(site) && !avoidance.isAvoided(placeKey(site, name));
  }

  return {
    next(request, wanted, asked) {
      const free = (index: number): boolean => !asked.has(places[index]!);
      const well = (index: number): boolean => free(index) && seemsWell(places[index]!);
      if (wanted !== undefined && well(wanted)) return places[wanted];
      const index = balancer.next(request, well) ?? balancer.next(request, free);
      return index === undefined ? undefined : places[index];
    },
    available: () => places.some(seemsWell),
  };
}
