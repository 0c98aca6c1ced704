import type { MiddlewarePlatform } from '../middlewares/middleware.ts';
import { readEntryPoints } from './merge/entry-points.ts';
import { createHttpMerger } from './merge/http.ts';
import { internalProvider } from './merge/internal.ts';
import { rejectedOfAll } from './merge/registry.ts';
import type { Say } from './merge/rejected.ts';
import { createTcpMerger } from './merge/tcp.ts';
import { mergeTls } from './merge/tls.ts';
import { createUdpMerger } from './merge/udp.ts';
import type { RuntimeConfiguration } from './runtime.ts';
import type { StaticConfiguration } from './static.ts';

export { KEPT } from './merge/registry.ts';
export type { Say } from './merge/rejected.ts';

export interface Merger {
  /**
   * All providers by name (suffix) → what is in force. Objects about which nothing changed since the last call are the same
   * references as then, whole kinds of objects too.
   */
  merge(says: ReadonlyMap<string, Say>): RuntimeConfiguration;
}

export interface MergerOptions {
  /** Reads files that middlewares name; without it what needs a file is judged where it runs. */
  readonly platform?: MiddlewarePlatform;
}

/** The merge of one static configuration: what all providers say, and what is our own, becomes what is in force. */
export function createMerger(configuration: StaticConfiguration, { platform }: MergerOptions = {}): Merger {
  const entryPoints = readEntryPoints(configuration);
  const internal = internalProvider(configuration);
  const mergeHttp = createHttpMerger(entryPoints, platform);
  const mergeTcp = createTcpMerger(entryPoints);
  const mergeUdp = createUdpMerger(entryPoints);
  let before: RuntimeConfiguration | undefined;

  return {
    merge(said) {
      const others = [...said].filter(([provider]) => provider !== 'internal').sort(([a], [b]) => (a < b ? -1 : 1));
      const says = new Map<string, Say>([['internal', internal], ...others]);
      const rejected = rejectedOfAll(says);
      const tls = mergeTls(says, rejected, before?.tls);
      before = {
        http: mergeHttp(says, rejected, tls),
        tcp: mergeTcp(says, rejected, tls),
        udp: mergeUdp(says, rejected),
        tls: tls.merged,
      };
      return before;
    },
  };
}
