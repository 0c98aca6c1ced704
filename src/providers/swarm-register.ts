import { DEFAULT_STOP_SIGNALS } from './docker-container.ts';
import type { ContainerEvent } from './docker-events.ts';
import type { SwarmService, SwarmTask } from './swarm-discovery.ts';

/** From the wish that a task ends until its container is told. Measured: two to four seconds, while the networks are left. */
const STOPPING_MS = 10_000;

/** The tasks that serve or still may, and which of them are stopping. */
export interface TaskRegister {
  /** An event of a task's container on the manager's own node: those come before the manager says anything. */
  apply(event: ContainerEvent, services: ReadonlyMap<string, SwarmService>, now: number): 'at-once' | 'soon' | 'nothing';
  /**
   * The tasks that are wanted. One that no longer is goes on, draining, for the grace period of its service. True when
   * anything is not as it was.
   */
  update(wanted: readonly SwarmTask[], services: ReadonlyMap<string, SwarmService>, now: number): boolean;
  tasks(): readonly SwarmTask[];
  /** Whether all that is wanted runs. */
  settled(): boolean;
}

export function createTaskRegister(): TaskRegister {
  let known = new Map<string, SwarmTask>();
  /** When a draining task is given up, in milliseconds. */
  const drains = new Map<string, number>();
  const gone = new Set<string>();

  const drain = (task: SwarmTask, services: ReadonlyMap<string, SwarmService>, now: number): void => {
    if (!drains.has(task.id)) drains.set(task.id, now + STOPPING_MS + (services.get(task.service)?.graceMs ?? 0));
  };

  const tasks = (): readonly SwarmTask[] => [...known.values()].map((task) => (drains.has(task.id) ? { ...task, draining: true } : task));

  return {
    apply({ task: id, effect }, services, now) {
      const task = known.get(id);
      if (task === undefined) return 'soon';
      if (effect.kind === 'signal') {
        const signals = services.get(task.service)?.stopSignals ?? DEFAULT_STOP_SIGNALS;
        if (!Number.isNaN(effect.signal) && !signals.has(effect.signal)) return 'nothing';
      }
      switch (effect.kind) {
        case 'signal':
        case 'unhealthy':
        case 'paused':
          drain(task, services, now);
          return 'at-once';
        case 'stopped':
        case 'removed':
          known.delete(id);
          gone.add(id);
          return 'at-once';
        default:
          return 'soon';
      }
    },
    update(wanted, services, now) {
      const before = JSON.stringify(tasks());
      const next = new Map<string, SwarmTask>();
      const ids = new Set(wanted.map(({ id }) => id));
      // The manager hears of a stopped container later than we do; ids of tasks are never used again.
      for (const id of gone) if (!ids.has(id)) gone.delete(id);
      for (const task of wanted) if (!gone.has(task.id)) next.set(task.id, task);
      for (const task of known.values()) {
        if (ids.has(task.id) || task.state !== 'running' || !services.has(task.service)) continue;
        drain(task, services, now);
        if (now < drains.get(task.id)!) next.set(task.id, task);
      }
      // One that is wanted and outlived its grace period did not mean to stop.
      for (const [id, until] of drains) if (!next.has(id) || (ids.has(id) && now >= until)) drains.delete(id);
      known = next;
      return JSON.stringify(tasks()) !== before;
    },
    tasks,
    settled: () => drains.size === 0 && [...known.values()].every(({ state }) => state === 'running'),
  };
}
