import type { Cells, RowCell } from '../../base/cells.ts';

/** Columns of a candidate's row. */
const DEADLINE = 0;
const IN_FLIGHT = 1;
const MEAN_MS = 2;
const SAMPLES = 3;
const DOWN = 4;
const FAILURES = 5;
const FIRST_FAILURE = 6;
const OUT_UNTIL = 7;
const COLUMNS = 8;

/** Candidates of all services together; those longest unused are forgotten, as servers come and go. */
const MAX_CANDIDATES = 65_536;
/** Samples over which the mean time is taken. */
const MEAN_OF = 100;

/** A request on its way to a candidate. */
export interface Errand {
  /** Milliseconds until the head of the answer came. */
  answered(ms: number): void;
  ended(): void;
}

/** What is known of one server of a service (or one child), in cells: shared by all threads, kept over reloads. */
export interface CandidateState {
  deadline(): number;
  postpone(until: number): void;
  take(step: number): void;
  inFlight(): number;
  meanMs(): number;
  begin(): Errand;
  /** What its health check says; the control thread writes it. */
  isDown(): boolean;
  setDown(down: boolean): void;
  /** Milliseconds since the epoch until which passive health leaves it out; 0 for never. */
  outUntil(): number;
  /** One more failure in a row; leaves the candidate out for `windowMs` when there were `limit` of them within it. */
  fail(now: number, windowMs: number, limit: number): void;
  succeed(): void;
}

export function candidateState(cells: Cells, service: string, name: string): CandidateState {
  const row: RowCell = cells.table('candidates', { capacity: MAX_CANDIDATES, columns: COLUMNS, held: IN_FLIGHT }).row(`${service} ${name}`);
  const add = (column: number, amount: number): void => row.update((numbers) => void (numbers[column]! += amount));
  const set = (column: number, value: number): void => row.update((numbers) => void (numbers[column] = value));
  return {
    deadline: () => row.get(DEADLINE),
    postpone: (until) => row.update((numbers) => void (numbers[DEADLINE] = Math.max(numbers[DEADLINE]!, until))),
    take: (step) => add(DEADLINE, step),
    inFlight: () => row.get(IN_FLIGHT),
    meanMs: () => row.get(MEAN_MS),
    begin() {
      add(IN_FLIGHT, 1);
      return {
        answered: (ms) =>
          row.update((numbers) => {
            numbers[SAMPLES] = Math.min(numbers[SAMPLES]! + 1, MEAN_OF);
            numbers[MEAN_MS]! += (ms - numbers[MEAN_MS]!) / numbers[SAMPLES]!;
          }),
        ended: () => row.update((numbers) => void (numbers[IN_FLIGHT] = Math.max(0, numbers[IN_FLIGHT]! - 1))),
      };
    },
    isDown: () => row.get(DOWN) !== 0,
    setDown: (down) => set(DOWN, down ? 1 : 0),
    outUntil: () => row.get(OUT_UNTIL),
    fail: (now, windowMs, limit) =>
      row.update((numbers) => {
        if (now - numbers[FIRST_FAILURE]! > windowMs) {
          numbers[FAILURES] = 0;
          numbers[FIRST_FAILURE] = now;
        }
        numbers[FAILURES]! += 1;
        if (numbers[FAILURES]! >= limit) numbers[OUT_UNTIL] = now + windowMs;
      }),
    succeed() {
      if (row.get(FAILURES) !== 0) set(FAILURES, 0);
    },
  };
}
