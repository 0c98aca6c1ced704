/** Picks indexes in proportion to weights. */
export interface Balancer {
  /** The next index that passes the test; undefined when none does. */
  next(allowed: (index: number) => boolean): number | undefined;
}

/** Earliest deadline first, as Traefik's wrr: each pick moves a server's deadline by 1/weight; the first order is shuffled. */
export function createWeightedRoundRobin(servers: readonly { readonly weight: number }[], random: () => number): Balancer {
  const deadlines = servers.map(({ weight }) => (random() + 1) / weight);
  return {
    next(allowed) {
      let best: number | undefined;
      for (let index = 0; index < servers.length; index++) {
        if ((best === undefined || deadlines[index]! < deadlines[best]!) && allowed(index)) best = index;
      }
      if (best === undefined) return undefined;
      const now = deadlines[best]!;
      deadlines[best] = now + 1 / servers[best]!.weight;
      // A server that was not allowed for a while must not get all it missed at once.
      for (let index = 0; index < servers.length; index++) if (deadlines[index]! < now) deadlines[index] = now;
      return best;
    },
  };
}
