import { type Clock, sleep } from '../../base/clock.ts';
import { ConfigError } from '../../base/errors.ts';
import { type EdgeScheme, fold } from '../../config/fold.ts';
import {
  checkPublisherName,
  formatPublication,
  joinObjects,
  OBJECT_KINDS,
  type ObjectKind,
  type PublicationObjects,
  parseShard,
} from '../../config/publication.ts';
import { parseSealKeys } from '../../config/seal.ts';
import { createHubClient, HubError } from '../hub-client.ts';
import { parseHubUrl } from '../hub-url.ts';
import { openIdentity } from '../identity.ts';
import { meaningOf } from '../meaning.ts';
import type { Entries } from '../plan.ts';
import { createSealer, sealObjects } from '../seal.ts';
import type { Target } from './target.ts';

export interface EdgeTargetOptions {
  readonly hubUrl: string;
  readonly stateDirectory: string;
  /** Under which this publisher is enrolled. */
  readonly name: string;
  /** Enrolment code; needed once, when something is applied. */
  readonly code?: string;
  readonly entryPoints: Readonly<Record<string, EdgeScheme>>;
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
}

const PREFIX = 'http.';

/** The edge, for a publisher without an agent: its services are direct. Throws ConfigError when the state cannot be read. */
export async function createEdgeTarget(options: EdgeTargetOptions): Promise<Target> {
  const { name, clock } = options;
  const hubUrl = parseHubUrl(options.hubUrl, '--hub');
  const problem = checkPublisherName(name);
  if (problem !== undefined) throw new ConfigError('config.bad-value', problem);
  const store = await openIdentity(options.stateDirectory);
  const client = createHubClient({ url: hubUrl, name, identity: store.identity(), clock, fetch: options.fetch });

  const enrolment = () => {
    const { enrolment: known } = store.identity();
    return known?.hub === hubUrl && known.name === name ? known : undefined;
  };

  async function prepare(): Promise<void> {
    if (enrolment() !== undefined) return;
    if (options.code === undefined)
      throw new ConfigError(
        'config.missing',
        `'${name}' is not enrolled at ${hubUrl}; make a code with 'edgeway edge codes' and give it with --code`,
      );
    store.enrol({ hub: hubUrl, name, keys: await client.enrol(options.code, 'sync') });
  }

  /** Keys may have changed since the enrolment, and nothing pings here. */
  async function sealerOf() {
    const keys = await client.keys();
    if (keys.id !== enrolment()!.keys.id) store.enrol({ hub: hubUrl, name, keys });
    const [key] = await parseSealKeys(keys.sealKey);
    return createSealer(key!);
  }

  return {
    name: 'edge',
    prepare,

    async translate({ runtime }) {
      const { objects, notes } = fold(runtime, { entryPoints: options.entryPoints });
      // Without an enrolment there is no key: such a plan shows secrets as ***, and nobody carries it out.
      const sealed =
        enrolment() === undefined
          ? (JSON.parse(JSON.stringify(objects)) as PublicationObjects)
          : await sealObjects(objects, await sealerOf());
      return { entries: toEntries(sealed), notes: notes.map(({ object, message }) => ({ object, message: `not published: ${message}` })) };
    },

    async read() {
      if (enrolment() === undefined) return { entries: new Map() };
      const manifest = await client.publication();
      const texts = [];
      for (const hash of Object.values(manifest?.shards ?? {})) texts.push(await client.shard(hash));
      return { entries: toEntries(joinObjects(texts.map((text) => parseShard(text)))) };
    },

    meaning(key, value) {
      const [, kind] = key.split('.') as [string, ObjectKind];
      const { broken, config = {}, kind: word } = value as { broken?: string; config?: object; kind?: string };
      if (broken !== undefined) return `cannot be published: ${broken}`;
      return kind === 'middlewares' ? (word ?? '') : meaningOf(kind, config);
    },

    async apply({ result }) {
      const objects = toObjects(result);
      for (let revision = Math.round(client.hubNow()), tries = 0; ; tries++) {
        try {
          const publication = await formatPublication(objects, { publisher: name, revision, link: undefined, forgetAfterMs: 0 });
          const { state, revision: inForce, problems, conflicts } = await client.publish(publication);
          return [
            STATES[state](inForce),
            ...problems.map(({ object, message }) => `The hub leaves ${object} out: ${message}`),
            ...conflicts.map(
              ({ rule, winner, losers }) =>
                `Publishers disagree about ${rule}: ${winner.router} of ${winner.publishers.join(', ')} is in force, not ${losers.map(({ router }) => router).join(', ')}`,
            ),
          ];
        } catch (error) {
          if (!(error instanceof HubError) || error.code !== 'stale' || tries === 3) throw error;
          revision = (error.body.revision ?? revision) + 1;
          await sleep(clock, 1);
        }
      }
    },
  };
}

const STATES = {
  written: (revision: number) => `Revision ${revision} is in KV; every Worker has it in 90 s at the latest.`,
  unchanged: (revision: number) => `Revision ${revision} stays: for the edge nothing changed.`,
  queued: (revision: number) => `Revision ${revision} is at the hub, which goes on trying to write KV.`,
  pinned: (revision: number) => `The hub has it; revision ${revision} is pinned until 'edgeway edge release'.`,
};

function toEntries(objects: PublicationObjects): Entries {
  const entries = new Map<string, unknown>();
  for (const kind of OBJECT_KINDS)
    for (const [name, object] of Object.entries(objects[kind])) entries.set(`${PREFIX}${kind}.${name}`, object);
  return entries;
}

function toObjects(entries: Entries): PublicationObjects {
  const objects: Record<ObjectKind, Record<string, unknown>> = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };
  for (const [key, value] of entries) {
    const dot = key.indexOf('.', PREFIX.length);
    objects[key.slice(PREFIX.length, dot) as ObjectKind][key.slice(dot + 1)] = value;
  }
  return objects as unknown as PublicationObjects;
}
