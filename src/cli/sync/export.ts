import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe } from '../../base/errors.ts';
import { silentLogger } from '../../base/log.ts';
import { formatOf } from '../../config/document.ts';
import { EXPORT_FORMATS, type ExportFormat, exportPairs } from '../../kv-sync/export.ts';
import { replaceFile } from '../../kv-sync/targets/keys-file.ts';
import { systemClock } from '../../origin-agent/clock.ts';
import { readArguments, UsageError } from '../arguments.ts';
import type { Command } from '../io.ts';
import { createStores } from './stores.ts';

export const usage = `Usage: edgeway sync export STORE [--to FILE|FOLDER] [--format yaml|toml|json|keys]

Writes what a store has as files that the file provider and 'edgeway sync' read as the same. Secrets are in them.

  --to FILE|FOLDER    a file; or a folder (it is there, or ends with /) that gets http.yml, tcp.yml, udp.yml, tls.yml.
                      Without it all goes to standard output
  --format FORMAT     default: by the name of the file, else yaml

Exit codes: 0 done, 1 some of it cannot be read, 2 wrong usage.
`;

const EXTENSIONS: Readonly<Record<ExportFormat, string>> = { yaml: 'yml', toml: 'toml', json: 'json', keys: 'csv' };

export const run: Command = async (args, io) => {
  const stores = createStores({ clock: systemClock, log: silentLogger });
  try {
    const { options, words } = readArguments(args, { to: 'value', format: 'value', help: 'switch' }, { h: 'help' });
    if (options.help !== undefined) {
      io.stdout.write(usage);
      return 0;
    }
    const url = words[0] ?? io.env.EDGEWAY_SYNC_TO;
    if (url === undefined || words.length > 1) throw new UsageError('name one store, as redis://host:6379');
    const to = options.to?.at(-1);
    const path = to === undefined ? undefined : resolve(io.cwd, to);
    const isFolder = path !== undefined && (to!.endsWith('/') || (await isDirectory(path)));
    const format = (options.format?.at(-1) ?? (to !== undefined && !isFolder ? formatByName(to) : 'yaml')) as ExportFormat;
    if (!EXPORT_FORMATS.includes(format)) throw new UsageError(`there is no format '${format}'; known are ${EXPORT_FORMATS.join(', ')}`);

    const { client, root } = await stores.open(url);
    const { texts, problems, leftOut } = exportPairs(root, await client.read(`${root}/`), format, !isFolder);
    if (isFolder) await mkdir(path, { recursive: true });
    for (const [name, text] of texts) {
      if (path === undefined) io.stdout.write(text);
      else await replaceFile(isFolder ? join(path, `${name}.${EXTENSIONS[format]}`) : path, text);
    }
    for (const problem of problems) io.stderr.write(`edgeway: ${describe(problem)}\n`);
    if (leftOut.length > 0)
      io.stderr.write(
        `edgeway: ${leftOut.length} keys are no dynamic configuration; --format keys has them: ${leftOut.slice(0, 5).join(', ')}\n`,
      );
    return problems.length > 0 ? 1 : 0;
  } catch (error) {
    io.stderr.write(`edgeway sync export: ${describe(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  } finally {
    await stores.close();
  }
};

const formatByName = (name: string): ExportFormat => formatOf(name) ?? 'keys';

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
