import type { JWK } from 'jose';
import { createBackoff } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { ConfigError, describe } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { type EdgeScheme, type Folded, fold } from '../config/fold.ts';
import type { HubKeys, PublishAnswer, PublisherKind } from '../config/hub-protocol.ts';
import { checkPublisherName, formatPublication } from '../config/publication.ts';
import type { RuntimeConfiguration } from '../config/runtime.ts';
import { parseSealKeys } from '../config/seal.ts';
import { canonicalJson, type SiteLink } from '../config/snapshot.ts';
import { createHubClient, HubError } from './hub-client.ts';
import { parseHubUrl } from './hub-url.ts';
import { openIdentity } from './identity.ts';
import { createSealer, type Sealer, sealObjects } from './seal.ts';

export interface PublisherOptions {
  /** Origin of the control host. */
  readonly hubUrl: string;
  /** Where the key pair is kept. */
  readonly stateDirectory: string;
  /** Under which the publisher is enrolled; also the name of its site. */
  readonly name: string;
  readonly kind: PublisherKind;
  /** Enrolment code; needed once. */
  readonly code?: string;
  /** How the edge reaches the relay; with it services are folded, and the site has a lease. */
  readonly link?: SiteLink;
  readonly weight?: number;
  readonly forgetAfterMs: number;
  readonly entryPoints: Readonly<Record<string, EdgeScheme>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fetch?: typeof fetch;
}

/** Keeps the hub informed. Nothing here rejects or throws once it runs: a hub that is away disturbs nobody. */
export interface Publisher {
  /** From now on this is what the publisher says. */
  publish(runtime: RuntimeConfiguration): void;
  /** Names at the site (services, routers that are handed over) without any healthy server: all of them. */
  health(down: readonly string[]): void;
  /** Renews the lease now, beside the pings that come by themselves. Resolves whatever becomes of it. */
  ping(): Promise<void>;
  /** Keys of the Worker that sign grants; known from the last run while the hub is away, empty before enrolment. */
  grantKeys(): readonly JWK[];
  /** The hub's time; grants are valid by it. */
  hubNow(): number;
  /** Resolves with the hub's answer when it has what was said last; undefined when it cannot have it. */
  whenPublished(): Promise<PublishAnswer | undefined>;
  close(): Promise<void>;
}

const PING_MS = 20_000;

/** Throws ConfigError when name or URL is none, or the state directory cannot be used. */
export async function createPublisher(options: PublisherOptions): Promise<Publisher> {
  const { clock, log, name } = options;
  const hubUrl = parseHubUrl(options.hubUrl);
  const problem = checkPublisherName(name);
  if (problem !== undefined) throw new ConfigError('config.bad-value', problem, { object: 'edge.site' });
  const store = await openIdentity(options.stateDirectory);
  const closing = new AbortController();
  const client = createHubClient({ url: hubUrl, name, identity: store.identity(), clock, fetch: options.fetch, signal: closing.signal });
  const backoff = createBackoff({ firstMs: 500, limitMs: 60_000 });
  const report = createReport(log);
  let sealer: Sealer | undefined;
  /** What is to be said, and what the hub has. */
  let wanted: RuntimeConfiguration | undefined;
  let current: RuntimeConfiguration | undefined;
  let said: { content: string; revision: number; answer: PublishAnswer } | undefined;
  let down: readonly string[] = [];
  let running: Promise<void> | undefined;

  const enrolment = () => {
    const { enrolment: known } = store.identity();
    return known?.hub === hubUrl && known.name === name ? known : undefined;
  };

  async function ensureEnrolled(): Promise<void> {
    if (enrolment() !== undefined) return;
    if (options.code === undefined)
      throw new ConfigError(
        'config.missing',
        `'${name}' is not enrolled at ${hubUrl}; make a code with 'edgeway edge codes' and set edge.code`,
      );
    pin(await client.enrol(options.code, options.kind));
    log.info('Enrolled at the hub', { publisher: name, hub: hubUrl });
  }

  function pin(keys: HubKeys): void {
    store.enrol({ hub: hubUrl, name, keys });
    sealer = undefined;
  }

  async function getSealer(): Promise<Sealer> {
    if (sealer === undefined) {
      const [key] = await parseSealKeys(enrolment()!.keys.sealKey);
      sealer = createSealer(key!);
    }
    return sealer;
  }

  /** Says what is wanted until the hub has it, or until there is something else to say. */
  async function run(): Promise<void> {
    while (wanted !== undefined && !closing.signal.aborted) {
      const runtime = wanted;
      wanted = undefined;
      try {
        await say(runtime);
        current = runtime;
        backoff.reset();
        report.reached();
      } catch (error) {
        if (error instanceof ConfigError) {
          log.error('Not published', { error: describe(error) });
          continue;
        }
        wanted ??= runtime;
        if (closing.signal.aborted) return;
        report.failed(error as Error);
        await sleep(clock, backoff.next(), closing.signal);
      }
    }
  }

  async function say(runtime: RuntimeConfiguration): Promise<void> {
    const folded = fold(runtime, {
      entryPoints: options.entryPoints,
      ...(options.link !== undefined && { agent: { weight: options.weight ?? 1 } }),
    });
    report.folded(folded);
    await ensureEnrolled();
    const objects = await sealObjects(folded.objects, await getSealer());
    for (let revision = Math.max((said?.revision ?? 0) + 1, Math.round(client.hubNow())); ; ) {
      const head = { publisher: name, revision, link: options.link, forgetAfterMs: options.forgetAfterMs };
      const publication = await formatPublication(objects, head);
      const content = canonicalJson({ ...publication.manifest, revision: 0 });
      if (content === said?.content) return;
      try {
        const answer = await client.publish(publication);
        said = { content, revision, answer };
        report.answered(answer);
        return;
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== 'stale') throw error;
        revision = (error.body.revision ?? revision) + 1;
      }
    }
  }

  function publish(runtime: RuntimeConfiguration): void {
    wanted = runtime;
    running ??= run().finally(() => (running = undefined));
  }

  /** Says again what the hub has lost, or what is sealed with a key that is no longer used. */
  function repeat(): void {
    said = undefined;
    if (current !== undefined && wanted === undefined) publish(current);
  }

  async function ping(): Promise<void> {
    if (enrolment() === undefined || closing.signal.aborted) return;
    try {
      const answer = await client.ping(down);
      report.reached();
      if (answer.keysId !== enrolment()!.keys.id) {
        pin(await client.keys());
        repeat();
      } else if (said !== undefined && running === undefined && answer.revision !== said.revision) {
        repeat();
      }
    } catch (error) {
      if (!closing.signal.aborted) report.failed(error as Error);
    }
  }

  async function pingAgainAndAgain(): Promise<void> {
    while (await sleep(clock, PING_MS, closing.signal)) await ping();
  }
  const pinging = options.link === undefined ? Promise.resolve() : pingAgainAndAgain();

  return {
    publish,
    ping,
    health(names) {
      const next = [...new Set(names)].sort();
      if (next.join('\n') === down.join('\n')) return;
      down = next;
      void ping();
    },
    grantKeys: () => enrolment()?.keys.grantKeys ?? [],
    hubNow: client.hubNow,
    async whenPublished() {
      while (running !== undefined) await running;
      return said?.answer;
    },
    async close() {
      closing.abort();
      await Promise.all([running, pinging]);
    },
  };
}

/** Tells the operator what changed, once. */
function createReport(log: Logger) {
  let away = false;
  let hosts = '';
  let notes = '';
  let findings = '';
  return {
    folded(folded: Folded): void {
      if (folded.hosts.join() !== hosts) {
        hosts = folded.hosts.join();
        log.info('Public at the edge', { hosts: folded.hosts });
      }
      const text = folded.notes.map(({ object, message }) => `${object}: ${message}`);
      if (text.join('\n') === notes) return;
      notes = text.join('\n');
      for (const { object, message } of folded.notes) log.warn('Not public at the edge', { object, error: message });
    },
    answered({ revision, state, problems, conflicts }: PublishAnswer): void {
      log.debug('Published', { revision, state });
      const text = canonicalJson([problems, conflicts]);
      if (text === findings) return;
      findings = text;
      for (const { object, message } of problems) log.warn('The hub leaves an object out', { object, error: message });
      for (const { rule, entryPoint, winner, losers } of conflicts)
        log.warn('Publishers disagree about a rule; what changed last is in force', { rule, entryPointName: entryPoint, winner, losers });
    },
    failed(error: Error): void {
      const say = away ? log.debug : error instanceof HubError ? log.error : log.warn;
      say('The hub cannot be told', { error: error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message });
      away = true;
    },
    reached(): void {
      if (away) log.info('The hub is told again');
      away = false;
    },
  };
}
