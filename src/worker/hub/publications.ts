import { encodeText, sha256Hex } from '../../base/bytes.ts';
import type { CompileInput } from '../../config/compile.ts';
import {
  MAX_ROUTERS,
  MAX_SHARD_BYTES,
  type PublicationManifest,
  type PublicationObjects,
  parseShard,
  tooManyRouters,
} from '../../config/publication.ts';
import { canonicalJson } from '../../config/snapshot.ts';
import { Refusal } from './refusal.ts';
import { type HubStorage, readState, writeState } from './storage.ts';

/** What every publisher said last. */
export interface Publications {
  /** Keeps shards whose text has the hash that names them. Throws Refusal. */
  upload(texts: Readonly<Record<string, string>>, now: number): Promise<void>;
  /** False when it says what the one before said. Throws Refusal. */
  accept(manifest: PublicationManifest): boolean;
  /** False when there is none. */
  remove(publisher: string): boolean;
  manifestOf(publisher: string): PublicationManifest | undefined;
  shard(hash: string): string | undefined;
  /** All, as the compiler wants them. A shard that several publish is one object. */
  inputs(): CompileInput[];
  /** Drops shards that nobody names for ten minutes. */
  clean(now: number): void;
}

const UNNAMED_MS = 600_000;

export function createPublications(storage: HubStorage): Publications {
  const parsed = new Map<string, PublicationObjects>();

  function parse(hash: string): PublicationObjects {
    let objects = parsed.get(hash);
    if (objects === undefined) parsed.set(hash, (objects = parseShard(textOf(hash)!)));
    return objects;
  }

  function textOf(hash: string): string | undefined {
    return storage.sql('SELECT text FROM shards WHERE hash = ?', hash)[0]?.text as string | undefined;
  }

  function manifestOf(publisher: string): PublicationManifest | undefined {
    const text = storage.sql('SELECT manifest FROM publishers WHERE name = ?', publisher)[0]?.manifest;
    return typeof text === 'string' ? (JSON.parse(text) as PublicationManifest) : undefined;
  }

  function check(manifest: PublicationManifest): void {
    const hashes = Object.values(manifest.shards);
    const missing = hashes.filter((hash) => !parsed.has(hash) && storage.sql('SELECT 1 FROM shards WHERE hash = ?', hash).length === 0);
    if (missing.length > 0) throw new Refusal('missing', `${missing.length} shards are not here`, { missing });
    let routers = 0;
    for (const hash of hashes) {
      try {
        routers += Object.keys(parse(hash).routers).length;
      } catch (error) {
        throw new Refusal('malformed', (error as Error).message);
      }
    }
    if (routers > MAX_ROUTERS) throw new Refusal('limit', tooManyRouters(routers).message);
  }

  /** Routers of changed shards that are not what they were get the new sequence. */
  function count(before: PublicationManifest | undefined, after: PublicationManifest, sequence: number): void {
    const { publisher } = after;
    for (const bucket of new Set([...Object.keys(before?.shards ?? {}), ...Object.keys(after.shards)])) {
      const [old, hash] = [before?.shards[bucket], after.shards[bucket]];
      if (old === hash) continue;
      if (hash === undefined) {
        storage.sql('DELETE FROM sequences WHERE publisher = ? AND bucket = ?', publisher, Number(bucket));
        continue;
      }
      const known = sequencesOf(publisher, Number(bucket));
      const [oldRouters, routers] = [old === undefined ? {} : parse(old).routers, parse(hash).routers];
      const next = Object.fromEntries(
        Object.entries(routers).map(([name, router]) => [
          name,
          canonicalJson(oldRouters[name]) === canonicalJson(router) ? (known[name] ?? sequence) : sequence,
        ]),
      );
      storage.sql(
        'INSERT INTO sequences (publisher, bucket, routers) VALUES (?, ?, ?) ON CONFLICT (publisher, bucket) DO UPDATE SET routers = excluded.routers',
        publisher,
        Number(bucket),
        JSON.stringify(next),
      );
    }
  }

  function sequencesOf(publisher: string, bucket: number): Record<string, number> {
    const [row] = storage.sql('SELECT routers FROM sequences WHERE publisher = ? AND bucket = ?', publisher, bucket);
    return row === undefined ? {} : (JSON.parse(row.routers as string) as Record<string, number>);
  }

  function named(): Set<string> {
    const rows = storage.sql('SELECT manifest FROM publishers WHERE manifest IS NOT NULL');
    return new Set(rows.flatMap(({ manifest }) => Object.values((JSON.parse(manifest as string) as PublicationManifest).shards)));
  }

  return {
    async upload(texts, now) {
      for (const [hash, text] of Object.entries(texts)) {
        if (typeof text !== 'string' || (await sha256Hex(text)) !== hash)
          throw new Refusal('malformed', `The text of the shard '${hash.slice(0, 64)}' does not have that hash`);
        if (encodeText(text).length > MAX_SHARD_BYTES)
          throw new Refusal('limit', `A shard has more than ${MAX_SHARD_BYTES} bytes; publish fewer or smaller objects`);
        storage.sql(
          'INSERT INTO shards (hash, text, uploaded_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET uploaded_at = excluded.uploaded_at',
          hash,
          text,
          now,
        );
      }
    },

    accept(manifest) {
      const before = manifestOf(manifest.publisher);
      if (before !== undefined && manifest.revision <= before.revision && sayingOf(manifest) !== sayingOf(before))
        throw new Refusal('stale', `Revision ${before.revision} of the publication is here already`, { revision: before.revision });
      check(manifest);
      return storage.transaction(() => {
        const text = JSON.stringify(manifest);
        storage.sql('UPDATE publishers SET manifest = ?, revision = ? WHERE name = ?', text, manifest.revision, manifest.publisher);
        if (before !== undefined && sayingOf(manifest) === sayingOf(before)) return false;
        const sequence = readState(storage, 'sequence') + 1;
        writeState(storage, 'sequence', sequence);
        count(before, manifest, sequence);
        return true;
      });
    },

    remove(publisher) {
      if (manifestOf(publisher) === undefined) return false;
      storage.sql("UPDATE publishers SET manifest = NULL, revision = NULL, down = '[]' WHERE name = ?", publisher);
      storage.sql('DELETE FROM sequences WHERE publisher = ?', publisher);
      return true;
    },

    manifestOf,
    shard: textOf,

    inputs() {
      const rows = storage.sql('SELECT manifest FROM publishers WHERE manifest IS NOT NULL ORDER BY name');
      return rows.map(({ manifest }) => {
        const { publisher, link, shards } = JSON.parse(manifest as string) as PublicationManifest;
        const sequences = new Map<string, number>();
        for (const { routers } of storage.sql('SELECT routers FROM sequences WHERE publisher = ?', publisher))
          for (const [name, sequence] of Object.entries(JSON.parse(routers as string) as Record<string, number>))
            sequences.set(name, sequence);
        return {
          publisher,
          ...(link !== undefined && { link }),
          shards: Object.values(shards).map(parse),
          changedAt: (name: string) => sequences.get(name) ?? 0,
        };
      });
    },

    clean(now) {
      const kept = named();
      for (const hash of parsed.keys()) if (!kept.has(hash)) parsed.delete(hash);
      for (const { hash } of storage.sql('SELECT hash FROM shards WHERE uploaded_at < ?', now - UNNAMED_MS))
        if (!kept.has(hash as string)) storage.sql('DELETE FROM shards WHERE hash = ?', hash!);
    },
  };
}

/** All of a manifest but its revision. */
const sayingOf = ({ revision: _revision, ...rest }: PublicationManifest): string => canonicalJson(rest);
