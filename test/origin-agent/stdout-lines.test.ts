import { describe, expect, it } from 'vitest';
import { createStdoutLines } from '../../src/origin-agent/stdout-lines.ts';
import { until } from '../support/agent-process.ts';

function start() {
  const written: string[] = [];
  let failure: string | undefined;
  const write = createStdoutLines((text) => {
    if (failure !== undefined) throw Object.assign(new Error(failure), { code: failure });
    written.push(text);
  });
  return { written, write, fail: (code: string | undefined) => void (failure = code) };
}

describe('createStdoutLines', () => {
  it('waits for a pipe that is full, and keeps the order', async () => {
    const { written, write, fail } = start();
    write('1');
    fail('EAGAIN');
    write('2');
    write('3');
    fail(undefined);
    write('4');
    expect(written).toEqual(['1']);
    await until(() => written.length === 4);
    write('5');
    expect(written).toEqual(['1', '2', '3', '4', '5']);
  });

  it('loses lines of a pipe that is closed, at once', () => {
    const { written, write, fail } = start();
    fail('EPIPE');
    write('1');
    fail(undefined);
    write('2');
    expect(written).toEqual(['2']);
  });
});
