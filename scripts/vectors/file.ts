import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadFiles } from '../../src/providers/file-load.ts';
import { type Case, type Outcome, runCases } from './cases.ts';
import { judgeLoaded } from './dynamic.ts';

interface Input {
  readonly files: Readonly<Record<string, string>>;
  readonly filename?: string;
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the vectors of the topic `file`, each in a directory of its own. */
export async function run(folder: string): Promise<Outcome> {
  return runCases<Input>(folder, judge);
}

async function judge(one: Case<Input>): Promise<string | undefined> {
  const { files, filename, directory, environment = {} } = one.input;
  const place = mkdtempSync(join(tmpdir(), 'edgeway-vectors-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(place, path)), { recursive: true });
      writeFileSync(join(place, path), text.replaceAll('$DIR', place));
    }
    const at = (path: string | undefined): string | undefined => (path === undefined ? undefined : join(place, path));
    const loaded = await loadFiles({ filename: at(filename), directory: at(directory) }, environment);
    return judgeLoaded(loaded, JSON.parse(JSON.stringify(one).replaceAll('$DIR', place)) as Case<Input>);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
