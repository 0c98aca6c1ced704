/**
 * Cells hold what must be counted together: across data threads and reloads on the host, per isolate (approximately) at the
 * edge. They are named by the object they belong to; asking again for a name gives the same cell.
 */
export interface Cells {
  /** One signed 64-bit number, starting at 0. */
  counter(name: string): CounterCell;
  /** Rows of floating-point numbers under text keys; when full, the row longest unused gives way. */
  table(name: string, shape: TableShape): TableCell;
  /** Counts in buckets with the given upper bounds (and one above them), with sum and total. */
  histogram(name: string, bounds: readonly number[]): HistogramCell;
}

export interface TableShape {
  /** Rows at most. */
  readonly capacity: number;
  /** Numbers in a row. */
  readonly columns: number;
  /** The column that says how much is held now (requests in flight): a thread that dies gives back what it held. */
  readonly held?: number;
}

export interface CounterCell {
  /** Adds atomically; returns the value before. */
  add(amount: number): number;
  get(): number;
  set(value: number): void;
}

export interface TableCell {
  /** Runs `update` alone on the key's row (zeros when it is new) and returns what it returns. `update` must not wait. */
  update<T>(key: string, update: (row: Float64Array) => T): T;
  /** A row that is used again and again: found once, found anew only after it had to give way. */
  row(key: string): RowCell;
  /** Rows in use. */
  readonly size: number;
}

export interface RowCell {
  /** One number of the row, 0 when it is new; looking does not count as use. */
  get(column: number): number;
  /** As `TableCell.update`. */
  update<T>(update: (row: Float64Array) => T): T;
}

export interface HistogramCell {
  observe(value: number): void;
  read(): { counts: number[]; sum: number; total: number };
}

/** Cells in plain memory of one thread or isolate. */
export function createLocalCells(): Cells {
  const counters = new Map<string, CounterCell>();
  const tables = new Map<string, TableCell>();
  const histograms = new Map<string, HistogramCell>();
  return {
    counter: (name) => remember(counters, name, createCounter),
    table: (name, shape) => remember(tables, name, () => createTable(shape)),
    histogram: (name, bounds) => remember(histograms, name, () => createHistogram(bounds)),
  };
}

function remember<T>(map: Map<string, T>, name: string, create: () => T): T {
  let cell = map.get(name);
  if (cell === undefined) {
    cell = create();
    map.set(name, cell);
  }
  return cell;
}

function createCounter(): CounterCell {
  let value = 0;
  return {
    add(amount) {
      const before = value;
      value += amount;
      return before;
    },
    get: () => value,
    set(next) {
      value = next;
    },
  };
}

function createTable({ capacity, columns }: TableShape): TableCell {
  // A Map keeps insertion order: taking a row out and putting it back makes the first one the longest unused.
  const rows = new Map<string, Float64Array>();
  return {
    row(key) {
      return { get: (column) => rows.get(key)?.[column] ?? 0, update: (update) => this.update(key, update) };
    },
    update(key, update) {
      let row = rows.get(key);
      if (row === undefined) {
        row = new Float64Array(columns);
        if (rows.size >= capacity) rows.delete(rows.keys().next().value!);
      } else {
        rows.delete(key);
      }
      rows.set(key, row);
      return update(row);
    },
    get size() {
      return rows.size;
    },
  };
}

function createHistogram(bounds: readonly number[]): HistogramCell {
  const counts = Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  let total = 0;
  return {
    observe(value) {
      let bucket = 0;
      while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
      counts[bucket]!++;
      sum += value;
      total++;
    },
    read: () => ({ counts: counts.slice(), sum, total }),
  };
}
