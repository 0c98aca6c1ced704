import type { Cells, CounterCell, HistogramCell, RowCell, TableCell } from '../base/cells.ts';
import { createLedger, LEDGER_WORDS, type Ledger } from './ledger.ts';
import { acquire, release } from './spin-lock.ts';

/**
 * Cells in one SharedArrayBuffer that all threads of the agent see; it lives as long as the process, so counts outlast reloads
 * and crashed threads. Pages that nobody touched cost no memory, so the buffer may be large.
 *
 * Layout, in 32-bit words: lock, next free word, directory of (hash low, hash high, offset) triples, then the cells.
 */
export const ARENA_BYTES = 256 * 1024 * 1024;
const DIRECTORY_SLOTS = 1 << 16;
const LOCK = 0;
const NEXT_FREE = 1;
const DIRECTORY = 2;
const CELLS_START = DIRECTORY + DIRECTORY_SLOTS * 3 + ((DIRECTORY + DIRECTORY_SLOTS * 3) & 1);
/** Rows that share a lock and among which the oldest gives way. */
const WAYS = 8;
/** Hash low and high, time of last use, unused. */
const ROW_HEAD_WORDS = 4;

export const createArena = (bytes = ARENA_BYTES): SharedArrayBuffer => new SharedArrayBuffer(bytes);

export interface SharedCells extends Cells {
  /** Gives back what a thread held that has ended. */
  giveBack(thread: number): void;
}

/** `thread` numbers the one that uses the cells, of those that may die before others. Throws RangeError when the arena is full. */
export function createSharedCells(arena: SharedArrayBuffer, thread?: number): SharedCells {
  const words = new Int32Array(arena);
  const floats = new Float64Array(arena);
  const counters = new Map<string, CounterCell>();
  const tables = new Map<string, TableCell>();
  const histograms = new Map<string, HistogramCell>();

  function remember<T>(known: Map<string, T>, name: string, create: () => T): T {
    let cell = known.get(name);
    if (cell === undefined) known.set(name, (cell = create()));
    return cell;
  }

  /** Offset in words of the cell with this name, made of zeros when it is new; even, so that it can hold floats. */
  function allocate(name: string, size: number): number {
    const [low, high] = hash64(name);
    acquire(words, LOCK);
    try {
      for (let probe = 0; probe < DIRECTORY_SLOTS; probe++) {
        const slot = DIRECTORY + ((low + probe) & (DIRECTORY_SLOTS - 1)) * 3;
        if (words[slot + 2] !== 0) {
          if (words[slot] === low && words[slot + 1] === high) return words[slot + 2]!;
          continue;
        }
        const offset = words[NEXT_FREE]! === 0 ? CELLS_START : words[NEXT_FREE]!;
        const end = offset + size + (size & 1);
        if (end > words.length) break;
        words[NEXT_FREE] = end;
        words[slot] = low;
        words[slot + 1] = high;
        words[slot + 2] = offset;
        return offset;
      }
    } finally {
      release(words, LOCK);
    }
    throw new RangeError(`No room for the cell '${name}': the arena of ${arena.byteLength} bytes is full`);
  }

  const ledgerOf = (number: number): Ledger => createLedger(words, allocate(`ledger ${number}`, LEDGER_WORDS));
  let ledger: Ledger | undefined;

  return {
    giveBack: (number) => ledgerOf(number).giveBack(floats),
    counter: (name) => remember(counters, name, () => counterAt(words, allocate(`c ${name}`, 2))),
    table: (name, shape) =>
      remember(tables, name, () => {
        const sets = tableSets(shape.capacity);
        const ways = Math.min(WAYS, shape.capacity);
        const offset = allocate(`t ${name} ${ways} ${shape.columns}`, 2 + sets + (sets & 1) + sets * ways * rowWords(shape.columns));
        if (shape.held !== undefined && thread !== undefined) ledger ??= ledgerOf(thread);
        return tableAt(words, floats, offset, { sets, ways, columns: shape.columns, held: shape.held, ledger });
      }),
    histogram: (name, bounds) =>
      remember(histograms, name, () =>
        histogramAt(words, floats, allocate(`h ${name} ${bounds.join(' ')}`, 4 + 2 * (bounds.length + 1)), bounds),
      ),
  };
}

const tableSets = (capacity: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, capacity / WAYS)));
const rowWords = (columns: number): number => ROW_HEAD_WORDS + 2 * columns;

/** Two's complement over two words; the carry follows the low word by an instant. */
function counterAt(words: Int32Array, offset: number): CounterCell {
  const read = (low: number): number => Atomics.load(words, offset + 1) * 2 ** 32 + (low >>> 0);
  return {
    add(amount) {
      const low = Atomics.add(words, offset, amount | 0);
      const carry = Math.floor(((low >>> 0) + amount) / 2 ** 32);
      const before = read(low);
      if (carry !== 0) Atomics.add(words, offset + 1, carry);
      return before;
    },
    get: () => read(Atomics.load(words, offset)),
    set(value) {
      Atomics.store(words, offset + 1, Math.floor(value / 2 ** 32));
      Atomics.store(words, offset, value | 0);
    },
  };
}

/** A set-associative table: the key's hash names a set of 8 rows (fewer where the table is smaller) under one lock. */
function tableAt(
  words: Int32Array,
  floats: Float64Array,
  offset: number,
  {
    sets,
    ways,
    columns,
    held,
    ledger,
  }: { sets: number; ways: number; columns: number; held: number | undefined; ledger: Ledger | undefined },
): TableCell {
  const locks = offset + 2;
  const rows = locks + sets + (sets & 1);
  const width = rowWords(columns);

  /** Runs `update` on the row at `row` if it is still the key's, else on where the key is found; returns where that was. */
  function updateAt<T>(row: number, low: number, high: number, update: (row: Float64Array) => T): { row: number; result: T } {
    const set = low & (sets - 1);
    acquire(words, locks + set);
    try {
      const at =
        words[row] === low && words[row + 1] === high ? row : findRow(words, rows + set * ways * width, { width, ways }, low, high, offset);
      words[at + 2] = Atomics.add(words, offset + 1, 1);
      const start = (at + ROW_HEAD_WORDS) >> 1;
      const numbers = floats.subarray(start, start + columns);
      if (held === undefined || ledger === undefined) return { row: at, result: update(numbers) };
      const before = numbers[held]!;
      const result = update(numbers);
      if (numbers[held] !== before) ledger.note({ row: at, float: start + held, lock: locks + set }, numbers[held]! - before);
      return { row: at, result };
    } finally {
      release(words, locks + set);
    }
  }

  function rowOf(key: string): RowCell {
    const [low, high] = tableHash(key);
    let row = rows;
    return {
      get(column) {
        if (words[row] !== low || words[row + 1] !== high) row = updateAt(row, low, high, () => {}).row;
        return floats[((row + ROW_HEAD_WORDS) >> 1) + column]!;
      },
      update(update) {
        const done = updateAt(row, low, high, update);
        row = done.row;
        return done.result;
      },
    };
  }

  return {
    row: rowOf,
    update(key, update) {
      const [low, high] = tableHash(key);
      return updateAt(rows, low, high, update).result;
    },
    get size() {
      return Atomics.load(words, offset);
    },
  };
}

/** A second word of 0 marks a free row. */
function tableHash(key: string): [number, number] {
  const [low, high] = hash64(key);
  return [low, high === 0 ? 1 : high];
}

/** The key's row in its set; else a free one; else the one longest unused, emptied. */
function findRow(
  words: Int32Array,
  start: number,
  { width, ways }: { width: number; ways: number },
  low: number,
  high: number,
  sizeWord: number,
): number {
  let oldest = start;
  for (let way = 0; way < ways; way++) {
    const row = start + way * width;
    if (words[row] === low && words[row + 1] === high) return row;
    if (words[row + 1] === 0) {
      Atomics.add(words, sizeWord, 1);
      words[row] = low;
      words[row + 1] = high;
      return row;
    }
    if (words[row + 2]! - words[oldest + 2]! < 0) oldest = row;
  }
  words.fill(0, oldest, oldest + width);
  words[oldest] = low;
  words[oldest + 1] = high;
  return oldest;
}

function histogramAt(words: Int32Array, floats: Float64Array, offset: number, bounds: readonly number[]): HistogramCell {
  const sum = (offset + 2) >> 1;
  const counts = Array.from({ length: bounds.length + 1 }, (_, i) => counterAt(words, offset + 4 + 2 * i));
  return {
    observe(value) {
      let bucket = 0;
      while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
      counts[bucket]!.add(1);
      acquire(words, offset);
      floats[sum]! += value;
      release(words, offset);
    },
    read() {
      const read = counts.map((count) => count.get());
      return { counts: read, sum: floats[sum]!, total: read.reduce((all, count) => all + count, 0) };
    },
  };
}

/** Two independent 32-bit hashes of a text (FNV-1a, and a multiplicative one), mixed at the end. */
export function hash64(text: string): [number, number] {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul((b + code) ^ (b >>> 15), 0x85ebca6b);
  }
  a = Math.imul(a ^ (a >>> 16), 0x7feb352d);
  b = Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  return [(a ^ (a >>> 15)) | 0, (b ^ (b >>> 16)) | 0];
}
