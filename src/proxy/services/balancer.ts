import { fnv64 } from '../../base/fnv.ts';
import type { ProxyRequest } from '../../base/message.ts';
import type { CandidateState, Errand } from './candidate-state.ts';

/** One that may be chosen. */
export interface Candidate {
  /** What hashes are made of: server URL or service name. */
  readonly name: string;
  readonly weight: number;
}

/** Chooses among candidates; the same shape for servers and for services of services. */
export interface Balancer {
  /** Index of the choice among those that are allowed; undefined when none is. */
  next(request: ProxyRequest, allowed: (index: number) => boolean): number | undefined;
  /** Called when a request goes to the candidate, where the strategy wants to know. */
  readonly begin?: (index: number) => Errand;
}

/** The candidates' numbers that all threads share and reloads keep; by index. */
export type CandidateStates = readonly CandidateState[];

/**
 * Earliest deadline first, Traefik's `wrr`: each pick moves a candidate's deadline by 1/weight. Deadlines are shared, so that several
 * threads divide requests as one does; the order in which new candidates begin is chance.
 */
export function createWeightedRoundRobin(candidates: readonly Candidate[], states: CandidateStates, random: () => number): Balancer {
  // One alone has no turns to take.
  if (candidates.length === 1) return { next: (_request, allowed) => (allowed(0) ? 0 : undefined) };
  return {
    next(_request, allowed) {
      let best: number | undefined;
      let earliest = Number.POSITIVE_INFINITY;
      for (let index = 0; index < candidates.length; index++) {
        const deadline = states[index]!.deadline() || start(index);
        if (deadline < earliest && allowed(index)) {
          best = index;
          earliest = deadline;
        }
      }
      if (best === undefined) return undefined;
      // One that was not allowed for a while must not get at once all that it missed; whoever stands before the best is not allowed.
      for (let index = 0; index < candidates.length; index++) {
        const deadline = states[index]!.deadline();
        if (deadline < earliest || (deadline === earliest && !allowed(index)))
          states[index]!.postpone(earliest + 1 / candidates[index]!.weight);
      }
      states[best]!.take(1 / candidates[best]!.weight);
      return best;
    },
  };

  /** A candidate without a deadline is new: it begins where the others are. */
  function start(index: number): number {
    const begun = states.map((state) => state.deadline()).filter((deadline) => deadline > 0);
    const deadline = (begun.length === 0 ? 1 : Math.min(...begun)) + random() * 1e-6;
    states[index]!.postpone(deadline);
    return deadline;
  }
}

/** Rendezvous hashing, `hrw`: the same client address keeps its candidate while that one is there; others move only from those that left. */
export function createHighestRandomWeight(candidates: readonly Candidate[]): Balancer {
  return {
    next({ clientAddress }, allowed) {
      let best: number | undefined;
      let bestScore = Number.NEGATIVE_INFINITY;
      for (let index = 0; index < candidates.length; index++) {
        if (!allowed(index)) continue;
        const score = rendezvousScore(clientAddress, candidates[index]!);
        if (score > bestScore) {
          best = index;
          bestScore = score;
        }
      }
      return best;
    },
  };
}

/** weight / −ln(h / 2⁶⁴), h the FNV-64a hash of address and name: a client keeps the server that Traefik gave it. */
function rendezvousScore(address: string, { name, weight }: Candidate): number {
  const { high, low } = fnv64(address + name, '1a');
  return weight / -Math.log((high * 2 ** 32 + low) / 2 ** 64);
}

/** Two random picks, the one with fewer requests under way takes it (`p2c`); weights do not count. */
export function createPowerOfTwoChoices(candidates: readonly Candidate[], states: CandidateStates, random: () => number): Balancer {
  return {
    next(_request, allowed) {
      const open: number[] = [];
      for (let index = 0; index < candidates.length; index++) if (allowed(index)) open.push(index);
      if (open.length < 2) return open[0];
      const first = Math.floor(random() * open.length);
      const second = (first + 1 + Math.floor(random() * (open.length - 1))) % open.length;
      const [a, b] = [open[first]!, open[second]!];
      return states[b]!.inFlight() < states[a]!.inFlight() ? b : a;
    },
    begin: (index) => states[index]!.begin(),
  };
}

/** The least of (mean time until the head came × (1 + requests under way) / weight), `leasttime`; equals go in turn. */
export function createLeastTime(candidates: readonly Candidate[], states: CandidateStates, random: () => number): Balancer {
  const turns = createWeightedRoundRobin(candidates, states, random);
  const score = (index: number): number => (states[index]!.meanMs() * (1 + states[index]!.inFlight())) / candidates[index]!.weight;
  return {
    next(request, allowed) {
      let least = Number.POSITIVE_INFINITY;
      for (let index = 0; index < candidates.length; index++) if (allowed(index)) least = Math.min(least, score(index));
      return turns.next(request, (index) => allowed(index) && score(index) === least);
    },
    begin: (index) => states[index]!.begin(),
  };
}
