import { sha256Hex } from '../../base/bytes.ts';
import type { ChangeNames, ObjectChange, RevisionKind, RevisionSummary } from '../../config/hub-protocol.ts';
import { OBJECT_KINDS } from '../../config/publication.ts';
import { joinSnapshot, parsePointer, splitSnapshot } from '../../config/shards.ts';
import { canonicalJson, type Snapshot } from '../../config/snapshot.ts';
import { Refusal } from './refusal.ts';
import type { HubStorage, Row } from './storage.ts';

/** Revisions whose texts are kept, the one in force included. */
export const KEPT_REVISIONS = 50;
/** And those that a Worker may still be told of: KV shows a pointer for a minute or two after it was replaced. */
const KEPT_MS = 600_000;

/** A revision in the form in which it is written. */
export interface StoredRevision {
  readonly revision: number;
  readonly pointer: string;
  readonly objects: readonly string[];
}

/** Every snapshot that was in force: who made it, when, and what changed. */
export interface History {
  latest(): StoredRevision | undefined;
  /** Adds a snapshot; undefined when it is the same as the latest. */
  add(content: Omit<Snapshot, 'revision'>, kind: RevisionKind, who: readonly string[], now: number): Promise<StoredRevision | undefined>;
  /** Newest first. */
  list(limit: number): RevisionSummary[];
  /** Throws Refusal when its texts are not kept. */
  read(revision: number): Promise<Snapshot>;
  diff(from: number, to: number): Promise<ObjectChange[]>;
  object(hash: string): string | undefined;
  /** Drops what is beyond the kept revisions; gives hashes that stand in KV and are of no use any more. */
  prune(now: number): string[];
}

/** `publishedRevision` is that of the pointer in KV, asked when the history is empty: a new hub must not begin below it. */
export function createHistory(storage: HubStorage, publishedRevision: () => Promise<number>): History {
  const toStored = ({ revision, pointer, objects }: Row): StoredRevision => ({
    revision: revision as number,
    pointer: pointer as string,
    objects: JSON.parse(objects as string) as string[],
  });

  const object = (hash: string): string | undefined =>
    storage.sql('SELECT text FROM objects WHERE hash = ?', hash)[0]?.text as string | undefined;

  async function read(revision: number): Promise<Snapshot> {
    const [row] = storage.sql('SELECT pointer FROM revisions WHERE revision = ?', revision);
    if (row === undefined) throw new Refusal('not-found', `Revision ${revision} is not kept; 'edgeway edge history' lists those that are`);
    return joinSnapshot(parsePointer(row.pointer as string).pointer, async (hash) => {
      const text = object(hash);
      if (text === undefined) throw new Error(`The object ${hash} of revision ${revision} is gone`);
      return text;
    });
  }

  return {
    latest() {
      const [row] = storage.sql('SELECT revision, pointer, objects FROM revisions ORDER BY revision DESC LIMIT 1');
      return row === undefined ? undefined : toStored(row);
    },

    async add(content, kind, who, now) {
      const hash = await sha256Hex(canonicalJson(content));
      const [last] = storage.sql('SELECT revision, content FROM revisions ORDER BY revision DESC LIMIT 1');
      if (last?.content === hash) return undefined;
      const before = last === undefined ? undefined : await read(last.revision as number);
      const snapshot: Snapshot = { ...content, revision: ((last?.revision as number | undefined) ?? (await publishedRevision())) + 1 };
      const { pointerText, objects } = await splitSnapshot(snapshot, now);
      const changes = summarize(changesBetween(before, snapshot));
      storage.transaction(() => {
        for (const [name, text] of objects)
          storage.sql('INSERT INTO objects (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING', name, text);
        storage.sql(
          'INSERT INTO revisions (revision, at, kind, who, changes, content, pointer, objects) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          snapshot.revision,
          now,
          kind,
          JSON.stringify(who),
          JSON.stringify(changes),
          hash,
          pointerText,
          JSON.stringify([...objects.keys()]),
        );
      });
      return { revision: snapshot.revision, pointer: pointerText, objects: [...objects.keys()] };
    },

    list(limit) {
      const rows = storage.sql('SELECT revision, at, kind, who, changes FROM revisions ORDER BY revision DESC LIMIT ?', limit);
      return rows.map(({ revision, at, kind, who, changes }) => ({
        revision: revision as number,
        at: at as number,
        kind: kind as RevisionKind,
        who: JSON.parse(who as string) as string[],
        changes: JSON.parse(changes as string) as ChangeNames,
      }));
    },

    read,
    diff: async (from, to) => changesBetween(await read(from), await read(to)),
    object,

    prune(now) {
      const beyond = storage.sql('SELECT revision, at FROM revisions ORDER BY revision DESC LIMIT -1 OFFSET ?', KEPT_REVISIONS);
      const old = beyond.filter(({ at }) => (at as number) < now - KEPT_MS);
      if (old.length === 0) return [];
      return storage.transaction(() => {
        for (const { revision } of old) storage.sql('DELETE FROM revisions WHERE revision = ?', revision!);
        const used = new Set(
          storage.sql('SELECT objects FROM revisions').flatMap(({ objects }) => JSON.parse(objects as string) as string[]),
        );
        const unused = storage.sql('SELECT hash, in_kv FROM objects').filter(({ hash }) => !used.has(hash as string));
        for (const { hash } of unused) storage.sql('DELETE FROM objects WHERE hash = ?', hash!);
        return unused.filter(({ in_kv }) => in_kv === 1).map(({ hash }) => hash as string);
      });
    },
  };
}

const NAMED_CHANGES = 100;

function summarize(changes: readonly ObjectChange[]): ChangeNames {
  const names = (test: (change: ObjectChange) => boolean): string[] =>
    changes
      .filter(test)
      .slice(0, NAMED_CHANGES)
      .map(({ object }) => object);
  return {
    added: names(({ before }) => before === null),
    changed: names(({ before, after }) => before !== null && after !== null),
    removed: names(({ after }) => after === null),
    count: changes.length,
  };
}

/** Objects and sites that differ, by name. */
function changesBetween(before: Snapshot | undefined, after: Snapshot): ObjectChange[] {
  const changes: ObjectChange[] = [];
  const compare = (kind: string, old: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): void => {
    for (const name of [...new Set([...Object.keys(old), ...Object.keys(now)])].sort())
      if (canonicalJson(old[name] ?? null) !== canonicalJson(now[name] ?? null))
        changes.push({ object: `${kind}/${name}`, before: old[name] ?? null, after: now[name] ?? null });
  };
  for (const kind of OBJECT_KINDS) compare(kind, before?.http[kind] ?? {}, after.http[kind]);
  compare('sites', before?.sites ?? {}, after.sites);
  return changes;
}
