import { fnv64 } from '../../base/fnv.ts';
import type { ProxyRequest } from '../../base/message.ts';

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
  /** Called when a request goes to the candidate; returns what to call with the milliseconds until its head came, and at the end. */
  readonly begin?: (index: number) => { answered(ms: number): void; ended(): void };
}

/** Earliest deadline first, Traefik's `wrr`: each pick moves a candidate's deadline by 1/weight; the first order is chance. */
export function createWeightedRoundRobin(candidates: readonly Candidate[], random: () => number): Balancer {
  const deadlines = candidates.map(({ weight }) => random() / weight);
  return {
    next(_request, allowed) {
      let best: number | undefined;
      for (let index = 0; index < candidates.length; index++) {
        if ((best === undefined || deadlines[index]! < deadlines[best]!) && allowed(index)) best = index;
      }
      if (best === undefined) return undefined;
      const now = deadlines[best]!;
      deadlines[best] = now + 1 / candidates[best]!.weight;
      // One that was not allowed for a while must not get at once all that it missed.
      for (let index = 0; index < candidates.length; index++) if (deadlines[index]! < now) deadlines[index] = now;
      return best;
    },
  };
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

/** weight / −ln(h / 2⁶⁴), h the FNV-64a hash of address and name, mixed: FNV alone is not even among names that are alike. */
function rendezvousScore(address: string, { name, weight }: Candidate): number {
  const hash = fnv64(address + name, '1a');
  const low = mix(hash.low ^ hash.high);
  const high = mix(hash.high + low);
  return weight / -Math.log((high * 2 ** 32 + low + 1) / (2 ** 64 + 1));
}

/** The finalizer of MurmurHash3. */
function mix(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Two random picks, the one with fewer requests under way takes it (`p2c`); weights do not count. */
export function createPowerOfTwoChoices(candidates: readonly Candidate[], random: () => number, inFlight: readonly InFlight[]): Balancer {
  return {
    next(_request, allowed) {
      const open: number[] = [];
      for (let index = 0; index < candidates.length; index++) if (allowed(index)) open.push(index);
      if (open.length < 2) return open[0];
      const first = Math.floor(random() * open.length);
      const second = (first + 1 + Math.floor(random() * (open.length - 1))) % open.length;
      const [a, b] = [open[first]!, open[second]!];
      return inFlight[b]!.get() < inFlight[a]!.get() ? b : a;
    },
    begin: (index) => countInFlight(inFlight[index]!, () => {}),
  };
}

interface InFlight {
  add(amount: number): number;
  get(): number;
}

function countInFlight(counter: InFlight, answered: (ms: number) => void): { answered(ms: number): void; ended(): void } {
  counter.add(1);
  return { answered, ended: () => void counter.add(-1) };
}

/** Samples over which `leasttime` takes the mean. */
const SAMPLES = 100;

/** The least of (mean time until the head came × (1 + requests under way) / weight), `leasttime`; equals go in turn. */
export function createLeastTime(candidates: readonly Candidate[], random: () => number, inFlight: readonly InFlight[]): Balancer {
  const turns = createWeightedRoundRobin(candidates, random);
  const times = candidates.map(() => createMean(SAMPLES));
  const score = (index: number): number => (times[index]!.get() * (1 + inFlight[index]!.get())) / candidates[index]!.weight;
  return {
    next(request, allowed) {
      let least = Number.POSITIVE_INFINITY;
      for (let index = 0; index < candidates.length; index++) if (allowed(index)) least = Math.min(least, score(index));
      return turns.next(request, (index) => allowed(index) && score(index) === least);
    },
    begin: (index) => countInFlight(inFlight[index]!, (ms) => times[index]!.add(ms)),
  };
}

/** Mean of the last `size` values; 0 without any. */
function createMean(size: number): { add(value: number): void; get(): number } {
  const values: number[] = [];
  let next = 0;
  let sum = 0;
  return {
    add(value) {
      sum += value - (values[next] ?? 0);
      values[next] = value;
      next = (next + 1) % size;
    },
    get: () => (values.length === 0 ? 0 : sum / values.length),
  };
}
