import { DurableObject } from 'cloudflare:workers';
import type { Hono } from 'hono';
import type { Clock } from '../../base/clock.ts';
import type { SnapshotSource } from '../../config/kv-layout.ts';
import type { Env } from '../env.ts';
import { publicGrantKey } from '../grant.ts';
import { createConsoleLogger } from '../log.ts';
import { workerClock } from '../platform.ts';
import { createHubApp } from './app.ts';
import { type Hub as Core, createHub } from './hub.ts';
import type { HubStorage, Row } from './storage.ts';

/** The hub in its Durable Object: storage, alarm and KV of Cloudflare around `createHub`. */
export class Hub extends DurableObject<Env> implements SnapshotSource {
  readonly #core: Core;
  readonly #app: Hono;

  constructor(state: DurableObjectState, env: Env, clock: Clock = workerClock) {
    super(state, env);
    const log = createConsoleLogger(env.EDGEWAY_LOG_LEVEL);
    this.#core = createHub({
      storage: toStorage(state.storage),
      kv: env.EDGEWAY_KV,
      clock,
      log,
      adminKey: env.EDGEWAY_ADMIN_KEY,
      sealKey: env.EDGEWAY_SEAL_KEY,
      grantKeys: [env.EDGEWAY_GRANT_KEY, env.EDGEWAY_NEXT_GRANT_KEY].filter((key) => key !== undefined).map(publicGrantKey),
    });
    this.#app = createHubApp(this.#core, clock, log);
  }

  override async fetch(request: Request): Promise<Response> {
    return this.#app.fetch(request);
  }

  override async alarm(): Promise<void> {
    await this.#core.alarm();
  }

  readPointer(): Promise<string | null> {
    return this.#core.readPointer();
  }

  readObject(hash: string): Promise<string | null> {
    return this.#core.readObject(hash);
  }
}

function toStorage(storage: DurableObjectStorage): HubStorage {
  return {
    sql: (query, ...values) => storage.sql.exec(query, ...values).toArray() as Row[],
    transaction: (work) => storage.transactionSync(work),
    setAlarm: (atMs) => void storage.setAlarm(atMs),
  };
}
