import type { Cells, CounterCell } from '../../base/cells.ts';
import type { Clock } from '../../base/clock.ts';

/** 0 while a server is well, 1 while its health check fails. The control thread writes it, every data thread reads it. */
export const downCell = (cells: Cells, service: string, server: string): CounterCell => cells.counter(`down ${service} ${server}`);

export interface PassiveHealth {
  isUp(index: number): boolean;
  answered(index: number, status: number): void;
  /** No answer came. */
  failed(index: number): void;
}

export interface PassiveConfig {
  /** Milliseconds: window of failures and length of the exclusion. */
  readonly failureWindow: number;
  readonly maxFailedAttempts: number;
}

const ALWAYS_UP: PassiveHealth = { isUp: () => true, answered() {}, failed() {} };

/** Takes a server out for the window after so many failures (no answer, or a status from 500 up) in a row within it. */
export function createPassiveHealth(
  config: PassiveConfig | undefined,
  service: string,
  servers: readonly { readonly name: string }[],
  { cells, clock }: { readonly cells: Cells; readonly clock: Clock },
): PassiveHealth {
  if (config === undefined) return ALWAYS_UP;
  const cell = (what: string) => servers.map((server) => cells.counter(`passive ${what} ${service} ${server.name}`));
  const failures = cell('failures');
  const firstFailureAt = cell('since');
  const outUntil = cell('until');
  const failed = (index: number): void => {
    const now = clock.now();
    if (now - firstFailureAt[index]!.get() > config.failureWindow) {
      failures[index]!.set(0);
      firstFailureAt[index]!.set(now);
    }
    if (failures[index]!.add(1) + 1 >= config.maxFailedAttempts) outUntil[index]!.set(now + config.failureWindow);
  };
  return {
    isUp: (index) => outUntil[index]!.get() <= clock.now(),
    answered(index, status) {
      if (status >= 500) failed(index);
      else if (failures[index]!.get() !== 0) failures[index]!.set(0);
    },
    failed,
  };
}
