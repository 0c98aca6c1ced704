import type { Clock } from '../base/clock.ts';
import type { EdgeHealth } from '../config/kv-layout.ts';
import type { RelayErrand } from '../proxy/platform.ts';
import { createWeightedRoundRobin } from '../proxy/services/balancer.ts';

export interface SiteChooser {
  /** The site to ask next, preferably `wanted`; undefined when all were asked. */
  next(wanted: string | undefined, asked: ReadonlySet<string>): RelayErrand['sites'][number] | undefined;
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

/**
 * By weight among the sites that seem well; those with a lapsed lease, without a healthy server or avoided come last, in the same
 * way; none is ever left out.
 */
export function createSiteChooser(errand: RelayErrand, health: () => EdgeHealth, avoidance: Avoidance, random: () => number): SiteChooser {
  const sites = errand.sites.filter(({ weight }) => weight > 0);
  const balancer = createWeightedRoundRobin(sites, random);

  function seemsWell({ site, name }: RelayErrand['sites'][number]): boolean {
    const state = health()[site];
    if (state !== undefined && (state.lapsed || state.down?.includes(name))) return false;
    return !avoidance.isAvoided(site) && !avoidance.isAvoided(placeKey(site, name));
  }

  return {
    next(wanted, asked) {
      const free = (index: number): boolean => !asked.has(sites[index]!.site);
      const well = (index: number): boolean => free(index) && seemsWell(sites[index]!);
      const stuck = wanted === undefined ? -1 : sites.findIndex(({ site }) => site === wanted);
      if (stuck !== -1 && well(stuck)) return sites[stuck];
      const index = balancer.next(well) ?? balancer.next(free);
      return index === undefined ? undefined : sites[index];
    },
    available: () => sites.some(seemsWell),
  };
}
