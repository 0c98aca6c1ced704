import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { CandidateState } from '../proxy/services/candidate-state.ts';

/** One server that is asked whether it is well. */
export interface Plan {
  readonly service: string;
  /** URL or address. */
  readonly server: string;
  /** Whatever the probe depends on: a plan with another text is begun anew. */
  readonly text: string;
  readonly intervalMs: number;
  /** While it is down; `intervalMs` when absent. */
  readonly unhealthyIntervalMs?: number | undefined;
  /** Where threads look. */
  readonly state: CandidateState;
  /** Why the server is not well; undefined when it is. Never rejects. */
  readonly probe: () => Promise<string | undefined>;
}

export interface ProbesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when a server went up or down. */
  readonly onChange?: (service: string, server: string, up: boolean) => void;
}

/** Asks servers again and again; what it finds stands in cells and survives reloads. */
export interface Probes {
  /** Takes over the plans in force. Servers that stay keep state and rhythm; new ones are asked at once. */
  update(plans: readonly Plan[]): void;
  /** `UP` or `DOWN` by server; undefined for a service without health check. */
  status(service: string): Readonly<Record<string, 'UP' | 'DOWN'>> | undefined;
  stop(): void;
}

const DEFAULT_INTERVAL_MS = 30_000;

export function createProbes({ clock, log, onChange }: ProbesOptions): Probes {
  let running = new Map<string, { readonly plan: Plan; readonly stop: () => void }>();

  function start(plan: Plan): () => void {
    const { service, server, state, intervalMs, unhealthyIntervalMs = intervalMs } = plan;
    let stopped = false;
    let cancel = (): void => {};
    const round = async (): Promise<void> => {
      const failure = await plan.probe();
      if (stopped) return;
      const isDown = failure !== undefined;
      if (isDown !== state.isDown()) {
        state.setDown(isDown);
        (isDown ? log.warn : log.info)(isDown ? 'Server is down' : 'Server is up', {
          serviceName: service,
          serverUrl: server,
          error: failure,
        });
        onChange?.(service, server, !isDown);
      }
      const interval = isDown ? unhealthyIntervalMs : intervalMs;
      cancel = clock.after(interval > 0 ? interval : DEFAULT_INTERVAL_MS, () => void round());
    };
    void round();
    return () => {
      stopped = true;
      cancel();
    };
  }

  return {
    update(plans) {
      const next: typeof running = new Map();
      for (const plan of plans) {
        const key = `${plan.service} ${plan.server}`;
        const known = running.get(key);
        if (known?.plan.text === plan.text) next.set(key, known);
        else {
          known?.stop();
          next.set(key, { plan, stop: start(plan) });
        }
      }
      const gone = [...running].filter(([key]) => !next.has(key));
      running = next;
      for (const [, { plan, stop }] of gone) {
        stop();
        plan.state.setDown(false);
      }
    },
    status(service) {
      const own = [...running.values()].filter(({ plan }) => plan.service === service);
      return own.length === 0 ? undefined : Object.fromEntries(own.map(({ plan }) => [plan.server, plan.state.isDown() ? 'DOWN' : 'UP']));
    },
    stop() {
      for (const { stop } of running.values()) stop();
      running.clear();
    },
  };
}
