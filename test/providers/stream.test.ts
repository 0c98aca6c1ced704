import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import type { ProviderMessage } from '../../src/providers/provider.ts';
import { distinct, keepTrying, throttle } from '../../src/providers/stream.ts';

/** A clock whose time passes when the test says so. */
function createTestClock() {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => now,
    after(ms: number, callback: () => void) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pending: () => timers.size,
    pass(ms: number) {
      now += ms;
      for (const timer of [...timers]) if (timer.at <= now && timers.delete(timer)) timer.callback();
    },
  };
}

const message = (name: string, urgent?: boolean) =>
  ({ configuration: { http: { routers: { [name]: {} } } }, problems: [], urgent }) as unknown as ProviderMessage;
const nameOf = ({ configuration }: ProviderMessage) => Object.keys(configuration.http!.routers!)[0]!;
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A source that the test writes to, what came out behind the throttle, and its clock. */
function throttled() {
  const clock = createTestClock();
  const abort = new AbortController();
  const queue: ProviderMessage[] = [];
  let wake = (): void => {};
  let ended = false;
  async function* source() {
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const out: string[] = [];
  let busy = Promise.resolve();
  const done = (async () => {
    for await (const one of throttle(source(), 2_000, { clock, log: silentLogger, signal: abort.signal, environment: {} })) {
      out.push(`${clock.now()} ${nameOf(one)}${one.urgent ? '!' : ''}`);
      await busy;
    }
  })();
  return {
    out,
    /** The one behind the throttle works until what is returned is called. */
    hold(): () => void {
      let free = (): void => {};
      busy = new Promise((resolve) => (free = resolve));
      return free;
    },
    async say(name: string, urgent?: boolean) {
      queue.push(message(name, urgent));
      wake();
      await settle();
    },
    async pass(ms: number) {
      clock.pass(ms);
      await settle();
    },
    async end() {
      ended = true;
      wake();
      let over = false;
      void done.then(() => (over = true));
      for (await settle(); !over; await settle()) clock.pass(2_000);
    },
  };
}

describe('throttle', () => {
  it('passes the first on at once, and of the others the newest', async () => {
    const { say, pass, end, out } = throttled();
    await say('a');
    await say('b');
    await say('c');
    await pass(1_999);
    expect(out).toEqual(['0 a']);
    await pass(1);
    await end();
    expect(out).toEqual(['0 a', '2000 c']);
  });

  it('passes an urgent one on at once', async () => {
    const { say, pass, end, out } = throttled();
    await say('a');
    await pass(500);
    await say('b');
    await say('c', true);
    await say('d');
    await pass(1_999);
    await say('e', true);
    await end();
    expect(out).toEqual(['0 a', '500 c!', '2499 e!']);
  });

  it('leaves a message urgent that replaces an urgent one while nobody could read it', async () => {
    const { say, hold, end, out } = throttled();
    const free = hold();
    await say('a');
    await say('b', true);
    await say('c');
    free();
    await end();
    expect(out).toEqual(['0 a', '0 c!']);
  });
});

describe('distinct', () => {
  it('drops what says the same', async () => {
    async function* source() {
      yield* [message('a'), message('a', true), message('b'), message('a')];
    }
    const out: string[] = [];
    for await (const one of distinct(source())) out.push(nameOf(one));
    expect(out).toEqual(['a', 'b', 'a']);
  });
});

describe('keepTrying', () => {
  it('starts a source again that failed, later each time until one says something', async () => {
    const clock = createTestClock();
    const abort = new AbortController();
    const starts: number[] = [];
    async function* source(): AsyncGenerator<ProviderMessage> {
      starts.push(clock.now());
      if (starts.length === 4) yield message('a');
      throw new Error('gone');
    }
    const out: string[] = [];
    const done = (async () => {
      for await (const one of keepTrying(source, { clock, log: silentLogger, signal: abort.signal, environment: {} }))
        out.push(nameOf(one));
    })();
    for (let i = 0; i < 60 && starts.length < 5; i++) {
      await settle();
      clock.pass(50);
    }
    abort.abort();
    await done;
    const gaps = starts.slice(1).map((at, i) => at - starts[i]!);
    expect(out).toEqual(['a']);
    expect(gaps[2]!).toBeGreaterThan(gaps[0]!);
    expect(gaps[3]!).toBeLessThanOrEqual(200);
  });
});
