import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** `npm run bench [-- NAME …]`: runs the named benchmarks, or all of them one after the other. Only ratios within a run mean anything. */
const folder = join(import.meta.dirname, 'bench');
const isBenchmark = (name: string): boolean => existsSync(join(folder, `${name}.ts`));
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !isBenchmark(name));
const all = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3));

if (unknown !== undefined) {
  console.error(`There is no benchmark '${unknown}'; known are ${all.join(', ')}`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : all) {
  const { bench } = (await import(join(folder, `${name}.ts`))) as { bench?: () => Promise<unknown> };
  // What a benchmark needs beside it (a program that it starts) exports none.
  if (bench === undefined) continue;
  console.log(`\n${name}`);
  const rows = await bench();
  if (Array.isArray(rows)) console.table(rows);
}
