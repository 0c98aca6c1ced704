import { createLocalCells } from '../base/cells.ts';
import { ConfigError } from '../base/errors.ts';
import { finish } from '../base/message.ts';
import { createOpener, parseSealKeys } from '../config/seal.ts';
import { containsSealed, openSealed } from '../config/sealed.ts';
import type { ProxyConfiguration } from '../config/snapshot.ts';
import { noConfiguration } from '../proxy/error-response.ts';
import { createProxy, type HttpProxy } from '../proxy/proxy.ts';
import { createConfigStore } from './config-store.ts';
import type { Env } from './env.ts';
import { createGrantIssuer, type GrantIssuer } from './grant.ts';
import { createConsoleLogger } from './log.ts';
import { createEdgeObserver } from './observer.ts';
import { createEdgePlatform, workerClock } from './platform.ts';
import { createEdgeRelay } from './relay.ts';
import { toRecord, toResponse } from './rim.ts';
import { createSnapshotReader } from './snapshot-reader.ts';

/** Answers every request that is not for the control host. */
export interface Edge {
  fetch(request: Request, ctx: Pick<ExecutionContext, 'waitUntil'>): Promise<Response>;
}

/** Once an isolate: the configuration, the proxy built from it, and all that it remembers of sites. */
export function createEdge(env: Env): Edge {
  const log = createConsoleLogger(env.EDGEWAY_LOG_LEVEL);
  const clock = workerClock;
  const cells = createLocalCells();
  const observer = createEdgeObserver(env, clock, log);
  const relay = createEdgeRelay({
    clock,
    cells,
    random: Math.random,
    log,
    site: (id) => store.site(id),
    health: () => store.health(),
    grants: lazyIssuer(env.EDGEWAY_GRANT_KEY),
    fetch: (input, init) => fetch(input, init),
  });
  const proxy: HttpProxy = createProxy({
    platform: createEdgePlatform({ cells, log, relay }),
    entryPoints: { http: {}, https: {} },
    hostname: 'edgeway',
    ...(observer && { observed: {} }),
  });
  const store = createConfigStore({
    reader: createSnapshotReader(env, log),
    proxy,
    open: openSecrets,
    clock,
    log,
    freshnessMs: Number(env.EDGEWAY_FRESHNESS_MS ?? 60_000),
  });

  /** A middleware whose secret cannot be opened is left out: its routers then fail, for nobody may come past it. */
  async function openSecrets(part: ProxyConfiguration): Promise<ProxyConfiguration> {
    if (!containsSealed(part.middlewares)) return part;
    const unseal = createOpener(env.EDGEWAY_SEAL_KEY === undefined ? [] : await parseSealKeys(env.EDGEWAY_SEAL_KEY));
    const middlewares: Record<string, ProxyConfiguration['middlewares'][string]> = {};
    for (const [name, config] of Object.entries(part.middlewares)) {
      try {
        middlewares[name] = await openSealed(config, unseal);
      } catch (error) {
        log.error('A secret cannot be opened', { middlewareName: name, error: String(error) });
      }
    }
    return { ...part, middlewares };
  }

  return {
    async fetch(request, ctx) {
      const record = toRecord(request, clock.now());
      const ready = await store.prepare(record.host, (promise) => ctx.waitUntil(promise));
      if (!ready) return toResponse(noConfiguration());
      const response = await proxy.handle(record);
      // The runtime tells nobody when the last byte has left: at the edge a request is over with the head of its answer.
      finish(record.facts);
      observer?.tell(record, response, (promise) => ctx.waitUntil(promise));
      return toResponse(response);
    },
  };
}

/** Without the key only requests that need an agent fail, and say why. */
function lazyIssuer(key: string | undefined): GrantIssuer {
  let issuer: GrantIssuer | undefined;
  return {
    async grant(agent, kind, name) {
      if (key === undefined) throw new ConfigError('config.missing', 'EDGEWAY_GRANT_KEY is not set; run edgeway edge init');
      issuer ??= createGrantIssuer(key, workerClock);
      return issuer.grant(agent, kind, name);
    },
  };
}
