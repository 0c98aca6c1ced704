import { statusResponse } from '../../base/body.ts';
import { ClientError, ConfigError } from '../../base/errors.ts';
import { whenFinished } from '../../base/message.ts';
import { duration, integer, object, string } from '../../base/schema.ts';
import { createCircuitStats, type StatsReader, type StatusBand } from '../circuit-stats.ts';
import { defineMiddleware } from '../middleware.ts';
import { type Predicate, parsePredicate } from '../predicate.ts';

export const circuitBreaker = defineMiddleware({
  kind: 'circuitBreaker',
  summary: 'Spares a failing service: answers itself while an expression over the last ten seconds holds.',
  options: object(
    {
      expression: string(
        'When it holds the circuit opens: NetworkErrorRatio(), ResponseCodeRatio(from, to, dividedByFrom, dividedByTo), LatencyAtQuantileMS(50.0) with < <= > >= == != && ||. Required.',
      ),
      checkPeriod: duration('Time between checks of the expression.', { default: 100 }),
      fallbackDuration: duration('How long the circuit stays open.', { default: 10_000 }),
      recoveryDuration: duration('How long requests are let through little by little before it closes.', { default: 10_000 }),
      responseCode: integer('Status of its own answers.', { default: 503 }),
    },
    'circuitBreaker',
  ),
  edge: 'it judges by all requests, and an isolate sees only its own',
  create({ expression = '', checkPeriod, fallbackDuration, recoveryDuration, responseCode }, { cells, clock, log }) {
    if (expression === '')
      throw new ConfigError('config.missing', "'expression' is empty; write when the circuit opens, as NetworkErrorRatio() > 0.30");
    const { holds, stats } = compile(expression);
    // Zero stands for the default here, as in Traefik.
    const times = { checkMs: checkPeriod || 100, fallbackMs: fallbackDuration || 10_000, recoveryMs: recoveryDuration || 10_000 };
    // Another expression has another layout, hence cells of its own.
    const cell = cells.table(`circuit ${expression}`, { capacity: 1, columns: STATE_COLUMNS + stats.columns });
    const admit = (row: Float64Array): boolean => admits(row, clock.now(), times.recoveryMs);
    return async (request, next) => {
      if (!cell.update('', admit)) return statusResponse(responseCode || 503);
      const start = clock.now();
      const finish = (status: number): void => {
        const opened = cell.update('', (row) => {
          const now = clock.now();
          stats.record(row, status, now - start, now);
          return check(row, now, times, holds, stats);
        });
        if (opened) log.warn('The circuit opened', { expression });
      };
      try {
        const response = await next(request);
        const { status } = response;
        whenFinished(request.facts, () => finish(status));
        return response;
      } catch (error) {
        finish(error instanceof ClientError ? error.status : 500);
        throw error;
      }
    };
  },
});

/** What a condition looks at. */
interface Moment {
  readonly row: Float64Array;
  readonly nowMs: number;
}

/** Statuses that count as errors of the network: those the proxy answers when a server does not. */
const NETWORK_ERRORS: readonly StatusBand[] = [
  { from: 502, to: 503 },
  { from: 504, to: 505 },
];

function compile(expression: string): { holds: Predicate<Moment>; stats: StatsReader } {
  const bands: StatusBand[] = [...NETWORK_ERRORS];
  let withLatency = false;
  let stats: StatsReader | undefined;
  const count = (band: StatusBand, { row, nowMs }: Moment): number => stats!.inBand(row, band, nowMs);
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  const holds = parsePredicate<Moment>(
    expression,
    {
      NetworkErrorRatio: {
        parameters: [],
        returns: 'float',
        create: () => (moment) =>
          ratio(
            NETWORK_ERRORS.reduce((sum, band) => sum + count(band, moment), 0),
            stats!.total(moment.row, moment.nowMs),
          ),
      },
      ResponseCodeRatio: {
        parameters: ['int', 'int', 'int', 'int'],
        returns: 'float',
        create(from, to, wholeFrom, wholeTo) {
          const part = { from: from!, to: to! };
          const whole = { from: wholeFrom!, to: wholeTo! };
          bands.push(part, whole);
          return (moment) => ratio(count(part, moment), count(whole, moment));
        },
      },
      LatencyAtQuantileMS: {
        parameters: ['float'],
        returns: 'int',
        create(quantile) {
          withLatency = true;
          return ({ row }) => stats!.latencyAt(row, quantile!);
        },
      },
    },
    'expression',
  );
  stats = createCircuitStats(STATE_COLUMNS, bands, withLatency);
  return { holds, stats };
}

/** Columns of the state: what it is, until when; when it is looked at again; since when it recovers, and whom it let through or not. */
const [STATE, UNTIL, NEXT_CHECK, RECOVERS_SINCE, ALLOWED, DENIED] = [0, 1, 2, 3, 4, 5] as const;
const STATE_COLUMNS = 6;
const [CLOSED, OPEN, RECOVERING] = [0, 1, 2] as const;

/** Whether a request may pass. An open circuit begins to recover when its time is over, a recovering one closes. */
function admits(row: Float64Array, nowMs: number, recoveryMs: number): boolean {
  if (row[STATE] === CLOSED) return true;
  if (row[STATE] === OPEN) {
    if (nowMs < row[UNTIL]!) return false;
    row[STATE] = RECOVERING;
    row[UNTIL] = nowMs + recoveryMs;
    row[RECOVERS_SINCE] = nowMs;
    row[ALLOWED] = row[DENIED] = 0;
  }
  if (nowMs > row[UNTIL]!) {
    row[STATE] = CLOSED;
    return true;
  }
  // The share that passes grows evenly from none to a half.
  const share = (0.5 * (nowMs - row[RECOVERS_SINCE]!)) / recoveryMs;
  const passes = (row[ALLOWED]! + 1) / (row[ALLOWED]! + 1 + row[DENIED]!) < share;
  row[passes ? ALLOWED : DENIED]!++;
  return passes;
}

/** Opens the circuit where the condition holds, at most once a period; true when it did. */
function check(
  row: Float64Array,
  nowMs: number,
  { checkMs, fallbackMs }: { checkMs: number; fallbackMs: number },
  holds: Predicate<Moment>,
  stats: StatsReader,
): boolean {
  if (nowMs <= row[NEXT_CHECK]!) return false;
  row[NEXT_CHECK] = nowMs + checkMs;
  if (row[STATE] === OPEN || !holds({ row, nowMs })) return false;
  row[STATE] = OPEN;
  row[UNTIL] = nowMs + fallbackMs;
  stats.reset(row);
  return true;
}
