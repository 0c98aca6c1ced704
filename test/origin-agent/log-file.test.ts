import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogFileOptions, openLogFile } from '../../src/origin-agent/log-file.ts';

let folder: string;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgeway-log-'));
  now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (options: Partial<LogFileOptions> = {}) =>
  openLogFile({
    path: join(folder, 'agent.log'),
    maxBytes: 20,
    maxBackups: 0,
    maxAgeMs: 0,
    compress: false,
    now: () => now,
    ...options,
  });
const names = (): string[] => readdirSync(folder).sort();
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const DAY_MS = 86_400_000;

describe('openLogFile', () => {
  it('goes on in a new file when the old one is full, also when another program run filled it', async () => {
    writeFileSync(join(folder, 'agent.log'), '0123456789\n');
    const file = open();
    file.write('012345678\n');
    expect(names()).toEqual(['agent-2026-01-02T03-04-05.678.log', 'agent.log']);
    expect(text('agent.log')).toBe('012345678\n');
    file.write('a line that is longer than the limit\n');
    await file.tidied();
    expect(text('agent.log')).toBe('a line that is longer than the limit\n');
  });

  it.each<[string, Partial<LogFileOptions>, string[]]>([
    ['all', {}, ['00-00-00.000', '00-00-01.000', '00-00-02.000']],
    ['a number', { maxBackups: 2 }, ['00-00-01.000', '00-00-02.000']],
    ['those of the last days', { maxAgeMs: DAY_MS }, ['00-00-02.000']],
  ])('keeps %s of the old ones, and touches no file of others', async (_, options, kept) => {
    const others = ['agent-notes.log', 'agent.log.1', 'other-2026-01-01T00-00-00.000.log'];
    for (const name of others) writeFileSync(join(folder, name), '');
    const file = open(options);
    const start = Date.UTC(2026, 0, 1);
    for (let i = 0; i < 4; i++) {
      now = start + (i - 1) * 1000;
      file.write('0123456789012345\n');
    }
    now = start + DAY_MS + 1500;
    file.reopen();
    await file.tidied();
    await open(options).tidied();
    const backups = names().filter((name) => !others.includes(name) && name !== 'agent.log');
    expect(backups).toEqual(kept.map((time) => `agent-2026-01-01T${time}.log`));
    for (const name of others) expect(existsSync(join(folder, name))).toBe(true);
  });

  it('packs old ones where that is wanted', async () => {
    const file = open({ compress: true });
    file.write('0123456789012345\n');
    file.write('next\n');
    await file.tidied();
    expect(names()).toEqual(['agent-2026-01-02T03-04-05.678.log.gz', 'agent.log']);
    expect(gunzipSync(readFileSync(join(folder, names()[0]!))).toString()).toBe('0123456789012345\n');
  });

  it('opens the file anew after it was moved away', () => {
    const file = open();
    file.write('one\n');
    renameSync(join(folder, 'agent.log'), join(folder, 'agent.log.1'));
    file.write('two\n');
    file.reopen();
    file.write('three\n');
    expect([text('agent.log.1'), text('agent.log')]).toEqual(['one\ntwo\n', 'three\n']);
  });
});
