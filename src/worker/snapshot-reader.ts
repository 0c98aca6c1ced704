import { sha256Hex } from '../base/bytes.ts';
import type { Logger } from '../base/log.ts';
import { HEALTH_KEY, HUB_NAME, objectKey, POINTER_KEY, type SnapshotSource } from '../config/kv-layout.ts';
import type { Env } from './env.ts';

/** Reads what the hub publishes: from KV, and from the hub itself what KV does not have yet. */
export interface SnapshotReader {
  /** Texts of pointer and health; null where KV has none. Rejects when KV fails. */
  readCurrent(): Promise<{ pointer: string | null; health: string | null }>;
  /** The hub's own pointer; null when it has none or is away. */
  readHubPointer(): Promise<string | null>;
  /** Objects whose text has the hash that names them. Rejects when one of them is nowhere to be had. */
  readObjects(hashes: readonly string[]): Promise<Map<string, string>>;
}

/** The least that KV allows, in seconds: with a freshness of 60 s a change is seen after 90 s at the latest. */
const POINTER_TTL_S = 30;
const OBJECT_TTL_S = 86_400;
/** Keys in one bulk read, which counts as a single operation. */
const BULK_LIMIT = 100;

export function createSnapshotReader({ EDGEWAY_KV, HUB }: Pick<Env, 'EDGEWAY_KV' | 'HUB'>, log: Logger): SnapshotReader {
  const hub = (): SnapshotSource => HUB.getByName(HUB_NAME) as unknown as SnapshotSource;

  async function readFromKv(hashes: readonly string[], into: Map<string, string>): Promise<void> {
    for (let from = 0; from < hashes.length; from += BULK_LIMIT) {
      const keys = new Map(hashes.slice(from, from + BULK_LIMIT).map((hash) => [objectKey(hash), hash]));
      const texts = await EDGEWAY_KV.get([...keys.keys()], { type: 'text', cacheTtl: OBJECT_TTL_S });
      for (const [key, text] of texts) if (text !== null) await keepIfTrue(keys.get(key)!, text, 'KV', into);
    }
  }

  async function keepIfTrue(hash: string, text: string, source: string, into: Map<string, string>): Promise<void> {
    if ((await sha256Hex(text)) === hash) into.set(hash, text);
    else log.error('An object does not have the hash that names it', { hash, source });
  }

  return {
    async readCurrent() {
      const texts = await EDGEWAY_KV.get([POINTER_KEY, HEALTH_KEY], { type: 'text', cacheTtl: POINTER_TTL_S });
      return { pointer: texts.get(POINTER_KEY) ?? null, health: texts.get(HEALTH_KEY) ?? null };
    },
    async readHubPointer() {
      try {
        return await hub().readPointer();
      } catch (error) {
        log.warn('The hub cannot be asked for the pointer', { error: String(error) });
        return null;
      }
    },
    async readObjects(hashes) {
      const found = new Map<string, string>();
      await readFromKv(hashes, found).catch((error: unknown) => log.warn('KV cannot be read', { error: String(error) }));
      for (const hash of hashes) {
        if (found.has(hash)) continue;
        const text = await hub().readObject(hash);
        if (text !== null) await keepIfTrue(hash, text, 'hub', found);
        if (!found.has(hash)) throw new Error(`The object ${hash} is neither in KV nor at the hub`);
      }
      return found;
    },
  };
}
