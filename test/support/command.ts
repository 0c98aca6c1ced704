import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from '../../src/cli/io.ts';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The folder it ran in; gone when the process ends. */
  readonly folder: string;
}

const folders = new Set<string>();
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Runs a command in a folder of its own that holds the files. */
export async function runCommand(command: Command, args: string[], files: Readonly<Record<string, string>> = {}, stdin = ''): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-command-'));
  folders.add(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  let [stdout, stderr] = ['', ''];
  const status = await command(args, {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    stdin: (async function* () {
      yield stdin;
    })(),
    cwd: folder,
    env: {},
    isTty: false,
  });
  return { status, stdout, stderr, folder };
}
