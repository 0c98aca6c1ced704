import { DEFAULT_STOP_SIGNALS, type DiscoveredContainer } from './docker-container.ts';
import type { ContainerEvent } from './docker-events.ts';

/**
 * How long a container may go on after a signal that should stop it. Docker itself kills after the grace period that `docker stop`
 * was called with, which nobody tells. A container that lives longer did not mean to stop, and is used again.
 */
export const DRAIN_LIMIT_MS = 10 * 60_000;

/** What is known of the containers of an engine, and which of them must be looked at. */
export interface ContainerRegister {
  /** Changes at once what the event says for sure. */
  apply(event: ContainerEvent, now: number): 'at-once' | 'soon' | 'nothing';
  /** Ids to look at, each with a number that says which event made it so. They stay until somebody settles them. */
  dirty(): ReadonlyMap<string, number>;
  /** What a look found: no container (undefined), or nothing that could be read (`unknown`: what was known stays). False: too late. */
  settle(id: string, taken: number, found: DiscoveredContainer | 'unknown' | undefined): boolean;
  /** It has to be looked at again. */
  doubt(id: string): void;
  /** These are all there are, unless an event came that was not looked at yet; all are to be looked at. */
  reset(ids: readonly string[]): void;
  /** Lets containers serve again that survived the signal. */
  expireDrains(now: number): void;
  containers(): readonly DiscoveredContainer[];
  find(idOrName: string): DiscoveredContainer | undefined;
}

export function createContainerRegister(): ContainerRegister {
  const known = new Map<string, DiscoveredContainer>();
  /** When it was told to stop, in milliseconds. */
  const drains = new Map<string, number>();
  const dirty = new Map<string, number>();
  let events = 0;

  const change = (id: string, changes: Partial<DiscoveredContainer>): 'at-once' | 'soon' => {
    const container = known.get(id);
    if (container === undefined) return 'soon';
    known.set(id, { ...container, ...changes });
    return 'at-once';
  };
  const forget = (id: string): boolean => {
    dirty.delete(id);
    drains.delete(id);
    return known.delete(id);
  };

  return {
    apply({ id, effect }, now) {
      if (effect.kind === 'signal') {
        const signals = known.get(id)?.stopSignals ?? DEFAULT_STOP_SIGNALS;
        if (!Number.isNaN(effect.signal) && !signals.has(effect.signal)) return 'nothing';
        drains.set(id, now);
        return 'at-once';
      }
      if (effect.kind === 'removed') return forget(id) ? 'at-once' : 'nothing';
      // The engine connects a container while it starts it, and describes none that is just being started.
      if (effect.kind === 'moved' && known.has(id) && known.get(id)!.status !== 'running') return 'nothing';
      dirty.set(id, ++events);
      switch (effect.kind) {
        case 'stopped':
          drains.delete(id);
          return change(id, { status: 'exited' });
        case 'paused':
          return change(id, { status: 'paused' });
        case 'unhealthy':
          return change(id, { health: 'unhealthy' });
        case 'started':
          drains.delete(id);
          return 'soon';
        case 'moved':
        case 'changed':
          return 'soon';
      }
    },
    dirty: () => new Map(dirty),
    settle(id, taken, found) {
      // An event came meanwhile: what was found is older than what it said.
      if (dirty.get(id) !== taken) return false;
      dirty.delete(id);
      if (found === undefined) forget(id);
      else if (found !== 'unknown') known.set(id, found);
      return true;
    },
    doubt: (id) => void dirty.set(id, ++events),
    reset(ids) {
      const present = new Set(ids);
      for (const id of [...known.keys()]) if (!present.has(id) && !dirty.has(id)) forget(id);
      for (const id of ids) dirty.set(id, ++events);
    },
    expireDrains(now) {
      for (const [id, since] of drains) if (now - since > DRAIN_LIMIT_MS) drains.delete(id);
    },
    containers: () => [...known].map(([id, container]) => (drains.has(id) ? { ...container, draining: true } : container)),
    find: (idOrName) => known.get(idOrName) ?? [...known.values()].find(({ name }) => name === idOrName),
  };
}
