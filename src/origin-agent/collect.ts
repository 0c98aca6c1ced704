import { describe } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { ProviderContext, ProviderDefinition, ProviderMessage } from '../providers/provider.ts';
import { distinct, keepTrying, throttle } from '../providers/stream.ts';

export interface CollectOptions {
  /** Options by provider kind, as in the static configuration below `providers`. */
  readonly providers: Readonly<Record<string, unknown>>;
  readonly throttleMs: number;
  readonly context: ProviderContext;
  readonly log: Logger;
  /** Called after each message with all that is known by then. */
  readonly onChange: (messages: ReadonlyMap<string, ProviderMessage>, latest: ProviderMessage) => void;
  /** Called once, when every provider that says something by itself has done so, behind the `onChange` of it. */
  readonly onComplete?: () => void;
}

/** Problems of a source as a whole and of its TLS; those of other objects are told with the objects. */
function reportProblems(before: ProviderMessage | undefined, { problems }: ProviderMessage, log: Logger): void {
  const known = new Set(before?.problems.map(describe));
  for (const problem of problems) {
    const { object = 'tls' } = problem.place;
    if (object.startsWith('tls') && !known.has(describe(problem))) log.error('Cannot use', { error: describe(problem) });
  }
}

/** Runs every provider that is switched on until the context's signal aborts; what each said last is kept. */
export async function collect({ providers, throttleMs, context, log, onChange, onComplete }: CollectOptions): Promise<void> {
  const messages = new Map<string, ProviderMessage>();
  const follow = async ({ definition, suffix, options }: Instance): Promise<void> => {
    const own = { ...context, log: log.with({ providerName: suffix }) };
    for await (const message of throttle(distinct(keepTrying(() => definition.watch(options, own), own)), throttleMs, own)) {
      reportProblems(messages.get(suffix), message, own.log);
      messages.set(suffix, message);
      onChange(messages, message);
      if (awaited.delete(suffix) && awaited.size === 0) onComplete?.();
    }
  };
  const used = PROVIDERS.flatMap((definition) => instancesOf(definition, providers[definition.kind] as never));
  const awaited = new Set(used.filter(({ definition }) => !definition.isQuiet).map(({ suffix }) => suffix));
  if (awaited.size === 0) onComplete?.();
  await Promise.all(used.map(follow));
}

interface Instance {
  readonly definition: ProviderDefinition;
  readonly suffix: string;
  readonly options: never;
}

function instancesOf(definition: ProviderDefinition, options: never | undefined): Instance[] {
  if (options === undefined) return [];
  const instances = definition.instances?.(options) ?? [{ suffix: definition.suffix, options }];
  return instances.map((instance) => ({ definition, ...instance }) as Instance);
}
