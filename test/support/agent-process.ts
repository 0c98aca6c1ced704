import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EDGEWAY = join(import.meta.dirname, '../../bin/edgeway');

/** A TCP port on loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Asks again and again until the answer is there; throws what was wrong last when `ms` are over. */
export async function until<T>(ask: () => T | Promise<T>, ms = 10_000): Promise<NonNullable<T>> {
  const end = Date.now() + ms;
  let last: unknown = new Error('nothing came');
  while (Date.now() < end) {
    try {
      const value = await ask();
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Waited ${ms} ms in vain`, { cause: last });
}

/** The real program in a folder of its own, with a static file and a dynamic file. */
export class AgentProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'edgeway-e2e-'));
  readonly dynamicFile = join(this.folder, 'dynamic.yml');
  output = '';
  exitCode: number | null | undefined;
  #child: ChildProcess | undefined;

  /** Writes the file as editors and tools do: beside, then renamed. */
  writeDynamic(text: string): void {
    writeFileSync(`${this.dynamicFile}.next`, text);
    renameSync(`${this.dynamicFile}.next`, this.dynamicFile);
  }

  /** `$DYNAMIC` in the static configuration stands for the dynamic file. `within` is a command that runs the program, such as `prlimit …`. */
  start(staticText: string, args: readonly string[] = [], within: readonly string[] = []): this {
    const file = join(this.folder, 'traefik.yml');
    writeFileSync(file, staticText.replaceAll('$DYNAMIC', this.dynamicFile));
    const [program, ...words] = [...within, EDGEWAY, 'agent', `--configFile=${file}`, ...args] as [string, ...string[]];
    const child = spawn(program, words, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.output += chunk));
    child.on('exit', (code) => (this.exitCode = code));
    this.#child = child;
    return this;
  }

  /** Lets the output wait in its pipe. */
  pauseReading(): void {
    this.#child?.stdout?.pause();
  }

  resumeReading(): void {
    this.#child?.stdout?.resume();
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Resolves when the output has the text. */
  says(text: string | RegExp): Promise<true> {
    return until(() => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output)) || undefined).catch(
      (error: Error) => {
        throw new Error(`The agent never said ${text}. It said:\n${this.output}`, { cause: error });
      },
    ) as Promise<true>;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  exited(): Promise<number> {
    return until(() => (this.exitCode === undefined ? undefined : { code: this.exitCode ?? -1 })).then(({ code }) => code);
  }

  async stop(): Promise<void> {
    if (this.exitCode === undefined && this.#child !== undefined) {
      this.#child.kill('SIGKILL');
      await this.exited();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
