import { setImmediate } from 'node:timers/promises';
import { sleep } from '../base/clock.ts';
import { ConfigError, describe } from '../base/errors.ts';
import type { DockerClient } from './clients/docker.ts';
import type { BuiltConfiguration } from './docker-configuration.ts';
import { asJson, type Json } from './docker-container.ts';
import type { ProviderContext, ProviderMessage } from './provider.ts';
import { createUrgency } from './urgency.ts';

/** A view of what an engine runs, kept up to date by its events. */
export interface EngineView {
  /** Types of events that are followed, as `{type: ['container']}`. */
  readonly filters: Record<string, string[]>;
  /**
   * `at-once`: a server must get no new request, and the view knows already. `soon`: something has to be looked at.
   * `nothing`: the event does not matter.
   */
  apply(event: Json): 'at-once' | 'soon' | 'nothing';
  /** Whatever is known may be wrong: events may have been lost. */
  doubt(): void;
  /** Asks the engine about all that is in doubt; false when nothing is. Throws when it cannot be reached. */
  look(): Promise<boolean>;
  /** Milliseconds until the next look when no event comes. */
  nextLookMs(): number;
  build(): BuiltConfiguration;
}

/** Events come in flocks; those of this time are looked at together. */
const GATHER_MS = 50;

/** So long after what could not wait the next waits, to be told together with others: fifty of a second at most. */
const URGENT_GAP_MS = 20;

/** A look may take long where the engine is slow to tell of one thing; what was learnt is told meanwhile. */
const TELL_MS = 250;

/** Some proxies hold the head of an answer back until the first byte of its body. */
const SUBSCRIPTION_MS = 2_000;

/**
 * Subscribes, then lists, so that nothing is lost between. Yields the whole configuration at first and after every change; what
 * takes a server out is yielded at once. Throws when the engine is lost.
 */
export async function* followEngine(client: DockerClient, view: EngineView, context: ProviderContext): AsyncGenerator<ProviderMessage> {
  const state = createState();
  const ended = new AbortController();
  const onAbort = () => ended.abort();
  context.signal.addEventListener('abort', onAbort, { once: true });
  ended.signal.addEventListener('abort', state.wake, { once: true });
  const looks = createLooks(view, state, context, ended.signal);
  const tell = createTeller(view, context);
  try {
    const subscription = client.events(view.filters);
    void readEvents(subscription, client.endpoint, view, state, looks, context);
    await Promise.race([subscription.catch(() => {}), sleep(context.clock, SUBSCRIPTION_MS, ended.signal)]);
    await looks.first();
    state.changed = true;
    while (!context.signal.aborted) {
      if (state.failure !== undefined) throw state.failure;
      if (state.urgent || state.changed) {
        // What came in the same read belongs together.
        await setImmediate();
        const hurried = state.urgent;
        state.urgent = state.changed = false;
        yield tell();
        if (hurried) await sleep(context.clock, URGENT_GAP_MS, ended.signal);
      } else {
        await state.woken();
      }
    }
  } finally {
    context.signal.removeEventListener('abort', onAbort);
    ended.abort();
    looks.stop();
  }
}

/** The message of what the view knows. A warning is logged once for as long as it holds. */
function createTeller(view: EngineView, { log }: ProviderContext): () => ProviderMessage {
  let told = new Set<string>();
  const isUrgent = createUrgency();
  return () => {
    const { configuration, problems, warnings } = view.build();
    const texts = new Set(warnings.map(describe));
    for (const reason of texts) if (!told.has(reason)) log.warn('Configuration is odd', { reason });
    told = texts;
    return { configuration, problems, urgent: isUrgent(configuration) };
  };
}

/** For a provider that shall not watch: it says all once, and is silent until it shall end. */
export async function* lookOnce(view: EngineView, context: ProviderContext): AsyncGenerator<ProviderMessage> {
  await view.look();
  yield createTeller(view, context)();
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    else context.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

interface State {
  urgent: boolean;
  changed: boolean;
  failure: Error | undefined;
  /** Ends the current or next `woken`. */
  readonly wake: () => void;
  readonly woken: () => Promise<void>;
}

function createState(): State {
  let awake = false;
  let resolve: (() => void) | undefined;
  return {
    urgent: false,
    changed: false,
    failure: undefined,
    wake() {
      awake = true;
      resolve?.();
    },
    async woken() {
      if (!awake) await new Promise<void>((done) => (resolve = done));
      awake = false;
    },
  };
}

/** Reads the stream to its end, which is always a failure: an engine that lives never ends it. */
async function readEvents(
  subscription: ReturnType<DockerClient['events']>,
  endpoint: string,
  view: EngineView,
  state: State,
  looks: Looks,
  { log, signal }: ProviderContext,
): Promise<void> {
  try {
    const lines = await subscription;
    view.doubt();
    looks.soon();
    for await (const line of lines) {
      if ('unreadable' in line) {
        log.warn('The engine sent an event that cannot be read, everything is looked at again', { endpoint, reason: line.unreadable });
        view.doubt();
        looks.soon();
        continue;
      }
      const reaction = view.apply(asJson(line.json));
      if (reaction === 'nothing') continue;
      // Without its attributes: they repeat all labels, and labels hold passwords.
      const { Type: type, Action: action } = asJson(line.json);
      log.debug('Event received', { type, action });
      if (reaction === 'at-once') {
        state.urgent = true;
        state.wake();
      }
      looks.soon();
    }
    throw new ConfigError('config.io', 'the stream ended');
  } catch (error) {
    if (signal.aborted) return;
    state.failure ??= new ConfigError('config.io', `The events of ${endpoint} are lost: ${(error as Error).message}`, {}, { cause: error });
    state.wake();
  }
}

interface Looks {
  /** The first look, which the caller waits for. */
  first(): Promise<void>;
  /** Another look after GATHER_MS, once for all who ask in that time. */
  soon(): void;
  stop(): void;
}

/** One look at a time; asked for during one, another follows. */
function createLooks(view: EngineView, state: State, { clock }: ProviderContext, signal: AbortSignal): Looks {
  let cancel: (() => void) | undefined;
  let gathering = false;
  let looking = true;
  let again = false;

  const tell = (): void => {
    state.changed = true;
    state.wake();
  };
  const look = async (isFirst = false): Promise<void> => {
    cancel?.();
    gathering = false;
    looking = true;
    // Before the first look has ended nothing is told: half of what there is would replace all that was.
    const tellMeanwhile = (): void => {
      tell();
      cancelTelling = clock.after(TELL_MS, tellMeanwhile);
    };
    let cancelTelling = isFirst ? () => {} : clock.after(TELL_MS, tellMeanwhile);
    try {
      if (await view.look()) tell();
    } catch (error) {
      state.failure ??= error as Error;
      state.wake();
    }
    cancelTelling();
    looking = false;
    if (signal.aborted) return;
    if (again) soon();
    else cancel = clock.after(view.nextLookMs(), () => void look());
  };
  const soon = (): void => {
    again = looking;
    if (looking || gathering) return;
    gathering = true;
    cancel?.();
    cancel = clock.after(GATHER_MS, () => void look());
  };
  return { first: () => look(true), soon, stop: () => cancel?.() };
}
