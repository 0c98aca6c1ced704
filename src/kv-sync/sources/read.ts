import { statSync } from 'node:fs';
import { ConfigError } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { createMerger } from '../../config/merge.ts';
import type { RuntimeConfiguration } from '../../config/runtime.ts';
import type { StaticConfiguration } from '../../config/static.ts';
import { fileProvider } from '../../providers/file.ts';
import type { ProviderContext, ProviderMessage } from '../../providers/provider.ts';
import { distinct, throttle } from '../../providers/stream.ts';

/** All that the files say, merged and judged. */
export interface SourceMessage {
  readonly runtime: RuntimeConfiguration;
  /** What is wrong, with its place. */
  readonly problems: readonly ConfigError[];
}

export interface FilesOptions {
  /** Files and directories. */
  readonly paths: readonly string[];
  readonly configuration: StaticConfiguration;
  readonly context: ProviderContext;
  /** Goes on after the first message, whenever a file changes. */
  readonly watch: boolean;
}

/** Changes of several files that are saved together come as one. */
const THROTTLE_MS = 200;

/** Reads all files as if they were one directory of the file provider. */
export async function* readSource({ paths, configuration, context, watch }: FilesOptions): AsyncGenerator<SourceMessage> {
  const merger = createMerger(configuration);
  const messages = new Map<string, ProviderMessage>();
  let changed = Promise.withResolvers<void>();
  const follow = async (path: string): Promise<void> => {
    const options = { watch, ...(isDirectory(path) ? { directory: path } : { filename: path }) };
    for await (const message of throttle(distinct(fileProvider.watch(options, context)), THROTTLE_MS, context)) {
      messages.set(path, message);
      changed.resolve();
    }
  };
  const following = Promise.all(paths.map(follow));
  following.catch(changed.reject);

  while (!context.signal.aborted) {
    await Promise.race([changed.promise, aborted(context.signal)]);
    changed = Promise.withResolvers();
    if (context.signal.aborted) return;
    if (messages.size < paths.length) continue;
    const { configuration: merged, problems } = unite(paths.map((path) => [path, messages.get(path)!]));
    const runtime = merger.merge(new Map([['file', { configuration: merged, problems }]]));
    yield { runtime, problems: [...problems, ...disabled(runtime, problems)] };
    if (!watch) return;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // The provider tells what is wrong with it.
    return false;
  }
}

type Tree = Record<string, Record<string, Record<string, unknown> | readonly unknown[]>>;

function unite(parts: readonly (readonly [string, ProviderMessage])[]): { configuration: DynamicConfiguration; problems: ConfigError[] } {
  const result: Tree = {};
  const problems: ConfigError[] = [];
  const owners = new Map<string, string>();
  for (const [path, message] of parts) {
    problems.push(...message.problems);
    for (const [section, kinds] of Object.entries(message.configuration as Tree)) {
      const into = (result[section] ??= {});
      for (const [kind, objects] of Object.entries(kinds)) {
        if (Array.isArray(objects)) {
          into[kind] = [...((into[kind] as readonly unknown[] | undefined) ?? []), ...objects];
          continue;
        }
        const named = { ...(into[kind] as Record<string, unknown> | undefined) };
        for (const [name, object] of Object.entries(objects)) {
          const key = `${section}.${kind}.${name}`;
          const owner = owners.get(key);
          if (owner !== undefined) {
            problems.push(
              new ConfigError('config.conflict', `It is written in ${owner} too, which counts; give one of them another name`, {
                source: path,
                object: key,
              }),
            );
            continue;
          }
          owners.set(key, path);
          named[name] = object;
        }
        into[kind] = named;
      }
    }
  }
  return { configuration: result as DynamicConfiguration, problems };
}

/** Objects that merge has disabled, where no problem says so already. */
function disabled({ http }: RuntimeConfiguration, known: readonly ConfigError[]): ConfigError[] {
  const told = new Set(known.map(({ place }) => place.object));
  return Object.entries(http).flatMap(([kind, objects]) =>
    Object.entries(objects)
      .filter(([, { status, name, provider }]) => status === 'disabled' && provider !== 'internal' && !told.has(`http.${kind}.${name}`))
      .flatMap(([name, { errors }]) =>
        errors.map((error) => new ConfigError('config.reference', error, { object: `http.${kind}.${name}` })),
      ),
  );
}
