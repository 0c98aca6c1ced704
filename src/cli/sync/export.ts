import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe } from '../../base/errors.ts';
import { formatOf } from '../../config/document.ts';
import { EXPORT_FORMATS, type ExportFormat, exportPairs } from '../../kv-sync/export.ts';
import { replaceFile } from '../../kv-sync/targets/keys-file.ts';
import { UsageError } from '../arguments.ts';
import { oneStoreCommand } from './one-store.ts';

export const usage = `Usage: edgeway sync export STORE [--to FILE|FOLDER] [--format yaml|toml|json|keys]

Writes what a store has as files that the file provider and 'edgeway sync' read as the same. Secrets are in them.

  --to FILE|FOLDER    a file; or a folder (it is there, or ends with /) that gets http.yml, tcp.yml, udp.yml, tls.yml.
                      Without it all goes to standard output
  --format FORMAT     default: by the name of the file, else yaml

Exit codes: 0 done, 1 some of it cannot be read, 2 wrong usage.
`;

const EXTENSIONS: Readonly<Record<ExportFormat, string>> = { yaml: 'yml', toml: 'toml', json: 'json', keys: 'csv' };

export const run = oneStoreCommand({
  name: 'edgeway sync export',
  usage,
  options: { to: 'value', format: 'value' },
  async run(options, open, io) {
    const to = options.to?.at(-1);
    const path = to === undefined ? undefined : resolve(io.cwd, to);
    const isFolder = path !== undefined && (to!.endsWith('/') || (await isDirectory(path)));
    const format = (options.format?.at(-1) ?? (to !== undefined && !isFolder ? formatByName(to) : 'yaml')) as ExportFormat;
    if (!EXPORT_FORMATS.includes(format)) throw new UsageError(`there is no format '${format}'; known are ${EXPORT_FORMATS.join(', ')}`);

    const { client, root } = await open();
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
  },
});

const formatByName = (name: string): ExportFormat => formatOf(name) ?? 'keys';

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
