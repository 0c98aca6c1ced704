import { afterEach, describe, expect, it } from 'vitest';
import { createLogger, type LogLine } from '../../src/base/log.ts';
import { type LastGood, orLastGood } from '../../src/providers/last-good.ts';
import type { ProviderContext, ProviderMessage } from '../../src/providers/provider.ts';
import { createManualClock, settle } from '../support/manual-clock.ts';

const said = (rule: string): ProviderMessage => ({ configuration: { http: { routers: { a: { rule } as never } } }, problems: [] });
const ruleOf = ({ configuration }: Pick<ProviderMessage, 'configuration'>) => configuration.http!.routers!.a!.rule;

let end: (() => Promise<void>) | undefined;
afterEach(async () => {
  await end?.();
  end = undefined;
});

/** A source that the test lets speak and fail, behind what was kept two hours ago. */
function follow(isThere = true) {
  const clock = createManualClock();
  const abort = new AbortController();
  const lines: LogLine[] = [];
  const out: string[] = [];
  const kept: string[] = [];
  const queue: (ProviderMessage | undefined)[] = [];
  let wake = (): void => {};
  let own: ProviderContext | undefined;
  let isClosed = false;
  let reads = 0;
  const lastGood: LastGood = {
    place: 'copy.json',
    read() {
      reads++;
      return isThere ? { message: said('old'), at: clock.now() - 7_200_000 } : undefined;
    },
    keep: (configuration) => void kept.push(ruleOf({ configuration })!),
    close: () => void (isClosed = true),
  };
  async function* source(context: ProviderContext) {
    own = context;
    for (;;) {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const next = queue.shift();
      if (next === undefined) return;
      yield next;
    }
  }
  const context = { clock, log: createLogger((line) => lines.push(line), 'DEBUG'), signal: abort.signal, environment: {} };
  const done = (async () => {
    for await (const message of orLastGood(source, lastGood, context)) {
      out.push(`${message.isCopy ? 'copy ' : ''}${ruleOf(message)}`);
      message.applied?.();
    }
  })();
  const say = async (message: ProviderMessage | undefined): Promise<void> => {
    queue.push(message);
    wake();
    await settle();
  };
  end = async () => {
    await say(undefined);
    await done;
  };
  return {
    clock,
    lines,
    out,
    kept,
    say,
    reads: () => reads,
    isClosed: () => isClosed,
    async fail(message: string): Promise<boolean> {
      await settle();
      const stands = own!.onFailure!(new Error(message));
      await settle();
      return stands;
    },
  };
}

describe('a source that may be away at a start', () => {
  it('is followed as it is when it speaks in time, and the copy is not even looked at', async () => {
    const { clock, out, kept, lines, say, reads } = follow();
    await clock.advance(4_999);
    await say(said('one'));
    await say(said('two'));
    await clock.advance(60_000);
    expect([out, kept, lines, reads()]).toEqual([['one', 'two'], ['one', 'two'], [], 0]);
  });

  it('is stood in for when it has said nothing for 5 s, with a warning, until it speaks', async () => {
    const { clock, out, kept, lines, say } = follow();
    await clock.advance(4_999);
    expect(out).toEqual([]);
    await clock.advance(1);
    expect(out).toEqual(['copy old']);
    expect(lines).toMatchObject([
      {
        level: 'WARN',
        message: 'The provider cannot be read, serving what it said before',
        fields: { error: 'It has said nothing for 5 s', age: '2h0m0s', file: 'copy.json' },
      },
    ]);
    await say(said('new'));
    expect(out).toEqual(['copy old', 'new']);
    expect(kept).toEqual(['new']);
    expect(lines[1]).toMatchObject({ level: 'INFO', message: 'The provider can be read again' });
  });

  it('is stood in for at its first failure, once', async () => {
    const { clock, out, lines, fail, say, reads } = follow();
    expect(await fail('connect ECONNREFUSED')).toBe(true);
    expect(out).toEqual(['copy old']);
    expect(lines[0]!.fields).toMatchObject({ error: 'connect ECONNREFUSED', age: '2h0m0s' });
    expect(await fail('connect ECONNREFUSED')).toBe(true);
    await clock.advance(60_000);
    await say(said('old'));
    expect(out).toEqual(['copy old', 'old']);
    expect(await fail('connection lost')).toBe(false);
    expect(reads()).toBe(1);
    expect(lines.map(({ level }) => level)).toEqual(['WARN', 'INFO']);
  });

  it('is waited for where there is no copy', async () => {
    const { clock, out, lines, fail, say } = follow(false);
    expect(await fail('connect ECONNREFUSED')).toBe(false);
    await clock.advance(60_000);
    expect([out, lines]).toEqual([[], []]);
    await say(said('one'));
    expect(out).toEqual(['one']);
  });

  it('leaves nothing unwritten and no timer behind at the end, also when it never spoke', async () => {
    const { clock, out, isClosed } = follow();
    await settle();
    expect(clock.waiting).toBe(1);
    await end!();
    end = undefined;
    expect([out, isClosed(), clock.waiting]).toEqual([[], true, 0]);
  });
});
