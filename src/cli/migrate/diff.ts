/** A unified diff of two texts; empty when they are equal. */
export function unifiedDiff(before: string, after: string, from: string, to: string, context = 3): string {
  if (before === after) return '';
  const [a, b] = [linesOf(before), linesOf(after)];
  const steps = editScript(a, b);
  const lines = [`--- ${from}`, `+++ ${to}`];
  for (const hunk of hunksOf(steps, context)) {
    const [first] = hunk;
    const removed = hunk.filter(({ kind }) => kind !== '+').length;
    const added = hunk.filter(({ kind }) => kind !== '-').length;
    lines.push(`@@ -${position(first!.a, removed)} +${position(first!.b, added)} @@`);
    for (const { kind, text } of hunk) lines.push(`${kind}${text}`);
  }
  return `${lines.join('\n')}\n`;
}

const linesOf = (text: string): string[] => (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
const position = (start: number, count: number): string => (count === 1 ? `${start + 1}` : `${count === 0 ? start : start + 1},${count}`);

interface Step {
  readonly kind: ' ' | '-' | '+';
  readonly text: string;
  /** Lines of both texts before this one. */
  readonly a: number;
  readonly b: number;
}

/** Equal beginnings and ends aside, the longest common subsequence; texts that differ in too many lines are replaced whole. */
const MAX_CELLS = 16_000_000;

function editScript(a: readonly string[], b: readonly string[]): Step[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const steps: Step[] = [];
  const equal = (i: number, j: number): void => void steps.push({ kind: ' ', text: a[i]!, a: i, b: j });
  for (let i = 0; i < start; i++) equal(i, i);
  middle(a.slice(start, a.length - end), b.slice(start, b.length - end), start, steps);
  for (let i = end; i > 0; i--) equal(a.length - i, b.length - i);
  return steps;
}

function middle(a: readonly string[], b: readonly string[], offset: number, steps: Step[]): void {
  const width = b.length + 1;
  const tooLarge = (a.length + 1) * width > MAX_CELLS;
  const lengths = new Uint32Array(tooLarge ? 0 : (a.length + 1) * width);
  for (let i = tooLarge ? -1 : a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        a[i] === b[j] ? lengths[(i + 1) * width + j + 1]! + 1 : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
  }
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (!tooLarge && i < a.length && j < b.length && a[i] === b[j]) {
      steps.push({ kind: ' ', text: a[i]!, a: offset + i, b: offset + j });
      i++;
      j++;
    } else if (i < a.length && (tooLarge || j >= b.length || lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)) {
      steps.push({ kind: '-', text: a[i]!, a: offset + i, b: offset + j });
      i++;
    } else {
      steps.push({ kind: '+', text: b[j]!, a: offset + i, b: offset + j });
      j++;
    }
  }
}

function hunksOf(steps: readonly Step[], context: number): Step[][] {
  const hunks: Step[][] = [];
  let until = -1;
  for (const [index, { kind }] of steps.entries()) {
    if (kind === ' ') continue;
    const from = Math.max(index - context, until + 1);
    if (hunks.length > 0 && index - context <= until + 1) hunks.at(-1)!.push(...steps.slice(until + 1, index + 1));
    else hunks.push(steps.slice(from, index + 1));
    until = index;
    // What follows belongs to the hunk until the context is full.
    while (until + 1 < steps.length && until - index < context && steps[until + 1]!.kind === ' ') hunks.at(-1)!.push(steps[++until]!);
  }
  return hunks;
}
