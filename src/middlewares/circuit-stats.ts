/**
 * What a circuit breaker remembers of the last seconds, laid out in one row of a cell so that all data threads share it: counts per
 * second for ten seconds, and (where asked for) latencies in six histograms of ten seconds each. Windows are those of Traefik.
 */
export interface CircuitStats {
  record(row: Float64Array, status: number, latencyMs: number, nowMs: number): void;
  reset(row: Float64Array): void;
  /** Columns that the row needs beyond `offset`. */
  readonly columns: number;
}

/** Statuses `[from, to)`. */
export interface StatusBand {
  readonly from: number;
  readonly to: number;
}

const SECONDS = 10;
const PERIODS = 6;
const PERIOD_MS = 10_000;
/** Milliseconds are exact up to 128, beyond it there are 64 steps to each doubling (1.6 %); more than an hour counts as an hour. */
const EXACT = 128;
const EXACT_BITS = 7;
const STEPS = 64;
const BUCKETS = EXACT + STEPS * 15;

export interface StatsReader extends CircuitStats {
  /** Requests of the last ten seconds. */
  total(row: Float64Array, nowMs: number): number;
  /** Those with a status in the band, which was among `bands`. */
  inBand(row: Float64Array, band: StatusBand, nowMs: number): number;
  /** The latency in whole milliseconds below which `quantile` percent of the requests were. */
  latencyAt(row: Float64Array, quantile: number): number;
}

/** `bands` are counted; histograms are kept only `withLatency`. */
export function createCircuitStats(offset: number, bands: readonly StatusBand[], withLatency: boolean): StatsReader {
  // Per second: its number since the epoch, the total, one count for each band.
  const width = 2 + bands.length;
  const histograms = offset + SECONDS * width;
  // The current histogram's number, and when it began.
  const buckets = histograms + 2;
  const columns = SECONDS * width + (withLatency ? 2 + PERIODS * BUCKETS : 0);

  const sum = (row: Float64Array, column: number, nowMs: number): number => {
    const now = Math.floor(nowMs / 1000);
    let count = 0;
    for (let i = 0; i < SECONDS; i++) {
      const slot = offset + i * width;
      if (row[slot]! > now - SECONDS) count += row[slot + column]!;
    }
    return count;
  };

  function countStatus(row: Float64Array, status: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const slot = offset + (second % SECONDS) * width;
    if (row[slot] !== second) {
      row.fill(0, slot, slot + width);
      row[slot] = second;
    }
    row[slot + 1]!++;
    bands.forEach(({ from, to }, index) => {
      if (from <= status && status < to) row[slot + 2 + index]!++;
    });
  }

  function countLatency(row: Float64Array, latencyMs: number, nowMs: number): void {
    if (nowMs - row[histograms + 1]! >= PERIOD_MS) {
      row[histograms] = (row[histograms]! + 1) % PERIODS;
      row[histograms + 1] = nowMs;
      const start = buckets + row[histograms]! * BUCKETS;
      row.fill(0, start, start + BUCKETS);
    }
    row[buckets + row[histograms]! * BUCKETS + bucketOf(latencyMs)]!++;
  }

  return {
    columns,
    record(row, status, latencyMs, nowMs) {
      countStatus(row, status, nowMs);
      if (withLatency) countLatency(row, latencyMs, nowMs);
    },
    reset(row) {
      row.fill(0, offset, offset + columns);
    },
    total: (row, nowMs) => sum(row, 1, nowMs),
    inBand: (row, band, nowMs) => sum(row, 2 + bands.indexOf(band), nowMs),
    latencyAt(row, quantile) {
      const merged = new Float64Array(BUCKETS);
      let total = 0;
      for (let i = 0; i < PERIODS * BUCKETS; i++) {
        merged[i % BUCKETS]! += row[buckets + i]!;
        total += row[buckets + i]!;
      }
      const wanted = Math.floor((Math.min(quantile, 100) / 100) * total + 0.5);
      let seen = 0;
      for (let i = 0; i < BUCKETS; i++) {
        seen += merged[i]!;
        if (merged[i]! > 0 && seen >= wanted) return upperEdge(i);
      }
      return 0;
    },
  };
}

function bucketOf(latencyMs: number): number {
  const ms = Math.max(0, Math.floor(latencyMs));
  if (ms < EXACT) return ms;
  const octave = Math.floor(Math.log2(ms)) - EXACT_BITS;
  return Math.min(BUCKETS - 1, EXACT + octave * STEPS + (Math.floor(ms / 2 ** (octave + 1)) - STEPS));
}

/** The highest latency that falls into the bucket. */
function upperEdge(bucket: number): number {
  if (bucket < EXACT) return bucket;
  const octave = Math.floor((bucket - EXACT) / STEPS);
  return (((bucket - EXACT) % STEPS) + STEPS + 1) * 2 ** (octave + 1) - 1;
}
