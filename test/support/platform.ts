import { createBody } from '../../src/base/body.ts';
import { createLocalCells } from '../../src/base/cells.ts';
import type { UpstreamError } from '../../src/base/errors.ts';
import { createLogger, type LogLine } from '../../src/base/log.ts';
import { HeaderList, type ProxyRequest, type ProxyResponse } from '../../src/base/message.ts';
import type { Platform, ServerTarget } from '../../src/proxy/platform.ts';
import { createRandom } from './random.ts';

export interface TestPlatform extends Platform {
  /** What servers got, in order. */
  readonly sent: { url: string; request: ProxyRequest }[];
  readonly lines: LogLine[];
  /** Sets the time that the clock shows, and calls what became due. */
  advance(ms: number): void;
}

/** A platform in memory: servers are a function, the clock stands still until it is advanced. */
export function createTestPlatform(
  serve: (target: ServerTarget, request: ProxyRequest) => ProxyResponse | UpstreamError | Promise<ProxyResponse> = answer('ok'),
): TestPlatform {
  const sent: TestPlatform['sent'] = [];
  const lines: LogLine[] = [];
  let now = 1_000_000;
  let timers: { at: number; callback: () => void }[] = [];
  const send: Platform['send'] = async (target, request) => {
    sent.push({ url: target.url, request });
    const result = await serve(target, request);
    if (result instanceof Error) throw result;
    return result;
  };
  return {
    place: 'agent',
    clock: {
      now: () => now,
      after(ms, callback) {
        const timer = { at: now + ms, callback };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
    },
    random: createRandom(1),
    cells: createLocalCells(),
    log: createLogger((line) => lines.push(line), 'DEBUG'),
    send,
    unpack: (response) => response,
    fetch: async (url, request) => send({ url } as ServerTarget, request),
    middleware: {},
    sent,
    lines,
    advance(ms) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { callback } of due) callback();
    },
  };
}

/** A server that answers everything with this text. */
export const answer =
  (text: string, status = 200, headers: [string, string][] = []) =>
  (): ProxyResponse => ({
    status,
    headers: HeaderList.from([...headers, ['Content-Length', String(text.length)]]),
    body: createBody(text),
  });

/** The text of a response's body. */
export const bodyText = async (response: ProxyResponse): Promise<string> => new TextDecoder().decode(await response.body?.bytes(1e6));
