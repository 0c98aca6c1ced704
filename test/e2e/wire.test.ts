import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const CASES = join(import.meta.dirname, '../vectors/wire');
const AGENT = join(import.meta.dirname, '../../bin/edgeway');
const AREAS = readdirSync(CASES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

interface Result {
  /** `middlewares/headers: custom request headers`. */
  readonly case: string;
  readonly verdict: string;
}

const folder = mkdtempSync(join(tmpdir(), 'edgeway-wire-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let results: readonly Result[] = [];

// All areas in one run: agents start and stop while others are being asked. What differs is asked again alone, as other suites run meanwhile.
beforeAll(async () => {
  const first = await compare('all', []);
  const doubtful = first.filter(isDifferent);
  const again =
    doubtful.length === 0 ? [] : await compare('again', ['--jobs', '1', '--alone', '--filter', doubtful.map(exactly).join('|')]);
  const verdicts = new Map(again.map((result) => [result.case, result]));
  results = first.map((result) => verdicts.get(result.case) ?? result);
}, 900_000);

it.each(AREAS)('%s: as recorded from Traefik, or listed as an intended difference', (area) => {
  const ofArea = results.filter((result) => result.case.startsWith(`${area}/`));
  expect(ofArea.length).toBeGreaterThan(0);
  expect(ofArea.filter(isDifferent)).toEqual([]);
});

it('lists only what there is', () => {
  const listed = readFileSync(join(CASES, 'listed.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(listed.filter((name) => !results.some((result) => result.case === name))).toEqual([]);
});

const isDifferent = ({ verdict }: Result): boolean => verdict !== 'equal' && verdict !== 'listed';
/** As `--filter` compares: `middlewares/headers/custom request headers`. */
const exactly = (result: Result): string => `^${result.case.replace(': ', '/').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

async function compare(name: string, more: readonly string[]): Promise<readonly Result[]> {
  const report = join(folder, `${name}.json`);
  const args = ['compare', '--program', `${AGENT} agent`, '--cases', CASES, '--listed', join(CASES, 'listed.txt'), '--json', report];
  const child = spawn(process.execPath, [join(import.meta.dirname, '../wire/run.mjs'), ...args, '--jobs', '2', '--quiet', ...more], {
    stdio: 'ignore',
  });
  await new Promise((resolve) => child.once('close', resolve));
  return (JSON.parse(readFileSync(report, 'utf8')) as { results: Result[] }).results;
}
