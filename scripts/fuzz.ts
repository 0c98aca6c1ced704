import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** `npm run fuzz [-- NAME … COUNT]`: a million inputs each, or COUNT. Ends with an error and its input when something breaks. */
const folder = join(import.meta.dirname, 'fuzz');
const args = process.argv.slice(2);
const count = Number(args.find((argument) => /^\d+$/.test(argument)) ?? 1_000_000);
const known = readdirSync(folder).map((file) => file.slice(0, -3));
if (args.includes('--help')) {
  console.log(
    `npm run fuzz [-- NAME … COUNT]\n\nA million generated inputs, or COUNT, for each of ${known.join(', ')}; or only for those named.`,
  );
  process.exit(0);
}
const wanted = args.filter((argument) => !/^\d+$/.test(argument));
const unknown = wanted.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(`There is no fuzzer '${unknown}'; known are ${known.join(', ')}`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : known) {
  const started = Date.now();
  console.log(`${name}: ${count} inputs …`);
  const { fuzz } = (await import(join(folder, `${name}.ts`))) as { fuzz(count: number): Promise<void> };
  await fuzz(count);
  console.log(`${name}: ${count} inputs in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}
