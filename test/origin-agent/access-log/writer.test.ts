import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/base/log.ts';
import { createLineBatch, type LineBatch } from '../../../src/origin-agent/access-log/batch.ts';
import { createAccessLogWriter } from '../../../src/origin-agent/access-log/writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgeway-access-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('createAccessLogWriter', () => {
  it('keeps all lines in order, and goes on in a new file after the old one was moved', async () => {
    const filePath = join(folder, 'access.log');
    const writer = createAccessLogWriter({ filePath, log: createLogger(() => {}, 'ERROR') });
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`);
    for (const line of lines.slice(0, 10_000)) writer.write(Buffer.from(line));
    renameSync(filePath, `${filePath}.1`);
    writer.reopen();
    for (const line of lines.slice(10_000)) writer.write(Buffer.from(line));
    await writer.close();
    expect(readFileSync(`${filePath}.1`, 'utf8') + readFileSync(filePath, 'utf8')).toBe(lines.join(''));
    expect(readFileSync(filePath, 'utf8')).toContain('line 19999');
  });

  it('a full disk loses lines and says so once', async () => {
    const warnings: string[] = [];
    const log = createLogger((line) => warnings.push(line.message), 'WARN');
    const writer = createAccessLogWriter({ filePath: '/dev/full', log });
    writer.write(Buffer.from('a\n'));
    writer.write(Buffer.from('b\n'));
    await writer.close();
    expect(warnings).toEqual(['Access log lines are lost']);
  });
});

function add(batch: LineBatch, line: string): void {
  batch.buffer.text(line);
  batch.buffer.endLine();
  batch.added();
}

describe('createLineBatch', () => {
  it('sends lines together, and at once when there are many', () => {
    const sent: string[] = [];
    let tick = (): void => {};
    const after = (_ms: number, callback: () => void) => {
      tick = callback;
      return () => {};
    };
    const clock = { now: () => 0, after };
    const batch = createLineBatch(clock, (lines) => sent.push(new TextDecoder().decode(lines)));
    add(batch, 'a');
    add(batch, 'b');
    expect(sent).toEqual([]);
    tick();
    expect(sent).toEqual(['a\nb\n']);
    for (let i = 0; i < 1000; i++) add(batch, 'x');
    expect(sent[1]).toBe('x\n'.repeat(1000));
    batch.flush();
    expect(sent).toHaveLength(2);
  });

  it.each([
    ['lines of bufferingSize', 2, 'x', ['x\nx\n', 'x\nx\n']],
    ['a line each', 1, 'x', ['x\n', 'x\n', 'x\n', 'x\n', 'x\n']],
    ['a megabyte', 1000, 'x'.repeat(600_000), [`${'x'.repeat(600_000)}\n`.repeat(2), `${'x'.repeat(600_000)}\n`.repeat(2)]],
  ])('sends no more than %s together', (_, maxLines, line, expected) => {
    const sent: string[] = [];
    const batch = createLineBatch({ now: () => 0, after: () => () => {} }, (lines) => sent.push(new TextDecoder().decode(lines)), maxLines);
    for (let i = 0; i < 5; i++) add(batch, line);
    expect(sent).toEqual(expected);
  });
});
