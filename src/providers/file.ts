import { sleep } from '../base/clock.ts';
import { describe } from '../base/errors.ts';
import { file } from '../config/static/file.ts';
import { type FileMemory, type LoadedFiles, loadFiles } from './file-load.ts';
import { createPathWatcher, type PathWatcher } from './path-watcher.ts';
import { defineProvider, type ProviderContext, type ProviderMessage } from './provider.ts';

/** A file that lost all its text is believed only after this time: it may be in the middle of being written. */
const EMPTY_MS = 50;

export const fileProvider = defineProvider({
  kind: 'file',
  suffix: 'file',
  summary: 'Reads the configuration from a file or from all files of a directory.',
  options: file,
  async *watch(options, context) {
    const memory: FileMemory = new Map();
    const read = (): Promise<LoadedFiles> => loadFiles(options, context.environment, memory);
    const watcher = createPathWatcher(context.clock, context.signal);
    context.onReread?.(watcher.notice);
    const readAll = options.watch ? () => readWatched(read, watcher) : read;
    let loaded = await readAll();
    while (true) {
      yield tell(loaded, context);
      if (!(await watcher.changed())) return;
      const { empty } = loaded;
      loaded = await readAll();
      if (loaded.empty > empty && (await sleep(context.clock, EMPTY_MS, context.signal))) loaded = await readAll();
    }
  },
});

/** Reads until nothing that was read could have changed unseen. */
async function readWatched(read: () => Promise<LoadedFiles>, watcher: PathWatcher): Promise<LoadedFiles> {
  let loaded = await read();
  while (await watcher.set(loaded.paths, loaded.folders)) loaded = await read();
  return loaded;
}

function tell({ configuration, problems, warnings }: LoadedFiles, context: ProviderContext): ProviderMessage {
  for (const warning of warnings) context.log.warn('Configuration is odd', { providerName: 'file', reason: describe(warning) });
  return { configuration, problems };
}
