import { readFile, stat } from 'node:fs/promises';
import { ConfigError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { formatOf, parseDocument } from '../../config/document.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import type { RuntimeConfiguration } from '../../config/runtime.ts';
import type { StoreClient } from '../../providers/clients/store.ts';
import { fileProvider } from '../../providers/file.ts';
import { distinct, throttle } from '../../providers/stream.ts';
import type { KeyRecord } from '../store-objects.ts';
import { kindOf } from './detect.ts';
import { createJudge, type JudgeOptions } from './judge.ts';
import type { Part, PartContext } from './part.ts';
import { readStore } from './store.ts';
import { readText, readTextFile } from './text.ts';
import { unite } from './unite.ts';

/** All that the sources say, united and judged. */
export interface SourceMessage {
  readonly runtime: RuntimeConfiguration;
  /** As it is written, of one provider: names are bare. */
  readonly configuration: DynamicConfiguration;
  /** Objects that are written as flat keys, by `http.routers.blog`. */
  readonly keys: ReadonlyMap<string, KeyRecord>;
  /** What is wrong, with its place. */
  readonly problems: readonly ConfigError[];
  /** What is odd; it keeps nothing from being applied. */
  readonly warnings: readonly ConfigError[];
}

export type SourceSpec =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'text'; readonly name: string; readonly read: () => Promise<string> }
  | { readonly kind: 'store'; readonly client: StoreClient; readonly root: string };

export interface SourceOptions extends JudgeOptions {
  readonly sources: readonly SourceSpec[];
  readonly context: PartContext & { readonly log: Logger };
  /** Goes on after the first message, whenever a source changes. */
  readonly watch: boolean;
}

/** Changes that come together, as of several files that are saved at once, make one message. */
const THROTTLE_MS = 200;

/** Reads all sources as if they were one provider. */
export async function* readSource({ sources, context, watch, ...judging }: SourceOptions): AsyncGenerator<SourceMessage> {
  const judge = createJudge(judging);
  const parts = new Map<SourceSpec, Part>();
  let changed = Promise.withResolvers<void>();
  const follow = async (source: SourceSpec): Promise<void> => {
    for await (const part of partsOf(source, watch, context)) {
      parts.set(source, part);
      changed.resolve();
    }
  };
  const following = Promise.all(sources.map(follow));
  following.catch((error) => changed.reject(error));

  while (!context.signal.aborted) {
    await Promise.race([changed.promise, aborted(context.signal)]);
    changed = Promise.withResolvers();
    following.catch((error) => changed.reject(error));
    if (context.signal.aborted) return;
    if (parts.size < sources.length) continue;
    const all = sources.map((source) => parts.get(source)!);
    const united = unite(all);
    const judged = judge(united);
    yield {
      runtime: judged.runtime,
      configuration: united.configuration,
      keys: united.keys,
      problems: [...united.problems, ...judged.problems],
      warnings: [...all.flatMap(({ warnings }) => warnings), ...judged.warnings],
    };
    if (!watch) return;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

async function* partsOf(source: SourceSpec, watch: boolean, context: SourceOptions['context']): AsyncGenerator<Part> {
  if (source.kind === 'store') yield* readStore(source.client, source.root, watch, context);
  else if (source.kind === 'text') yield await readText(source.name, await source.read(), context);
  else if (await isForFileProvider(source.path)) yield* readFiles(source.path, watch, context);
  else yield* readTextFile(source.path, watch, context);
}

/** Folders, and YAML and TOML files that are no compose files: templates are rendered, files that they name are read. */
async function isForFileProvider(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
    const format = formatOf(path);
    if (format !== 'yaml' && format !== 'toml') return false;
    const { tree } = parseDocument(await readFile(path, 'utf8'), format, path);
    return ['dynamic', 'both'].includes(kindOf(tree)) || Object.keys(tree).length === 0;
  } catch (error) {
    // What no parser reads may be a template; what is not there at all is told by the provider in the words of its format.
    return error instanceof ConfigError || ['yaml', 'toml'].includes(formatOf(path) ?? '');
  }
}

async function* readFiles(path: string, watch: boolean, context: SourceOptions['context']): AsyncGenerator<Part> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const options = { watch, ...(isDirectory ? { directory: path } : { filename: path }) };
  for await (const { configuration, problems } of throttle(distinct(fileProvider.watch(options, context)), THROTTLE_MS, context))
    yield { source: path, suffixes: ['file'], configuration, problems, warnings: [] };
}
