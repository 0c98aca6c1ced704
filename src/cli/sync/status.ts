import { readStatus, type StoreStatus } from '../../kv-sync/status.ts';
import { systemClock } from '../../origin-agent/clock.ts';
import { oneStoreCommand } from './one-store.ts';

export const usage = `Usage: edgeway sync status STORE [--json] [--detailed-exit-code]

Says which revision a store has, who wrote it when, and which revision each agent runs.

  --json                    the same for programs
  --detailed-exit-code      3 when an agent runs another revision, or somebody else has changed keys

Exit codes: 0 told, 1 the store cannot be read, 2 wrong usage.
`;

export const run = oneStoreCommand({
  name: 'edgeway sync status',
  usage,
  options: { json: 'switch', 'detailed-exit-code': 'switch' },
  async run(options, open, io) {
    const { client, root } = await open();
    const status = await readStatus(client, root);
    io.stdout.write(
      options.json ? `${JSON.stringify(status, undefined, 2)}\n` : formatStatus(client.name, root, status, systemClock.now()),
    );
    const isEven = !status.isForeign && status.nodes.every(({ revision }) => revision === status.revision?.revision);
    return options['detailed-exit-code'] !== undefined && !isEven ? 3 : 0;
  },
});

export function formatStatus(store: string, root: string, { revision, keys, isForeign, nodes }: StoreStatus, now: number): string {
  const lines = [`${store}, ${keys} keys below ${root}/`];
  if (revision === undefined) lines.push("No 'edgeway sync' has written here.");
  else {
    const doing = revision.state === 'writing' ? 'is being written, or its writer died' : 'written';
    lines.push(`Revision ${revision.revision} ${doing}: by ${revision.writer}, ${age(now - revision.at)} ago`);
  }
  if (revision?.rollOut !== undefined)
    lines.push(`Revision ${revision.rollOut.revision} is rolled out, so far to ${revision.rollOut.nodes.join(', ')}.`);
  if (isForeign) lines.push('Somebody else has changed keys since.');
  if (nodes.length === 0) lines.push('No agent has told what it runs.');
  const width = Math.max(0, ...nodes.map(({ node }) => node.length));
  for (const { node, revision: runs, at, version } of nodes) {
    const behind = revision === undefined || runs === revision.revision ? '' : `  not ${revision.revision}`;
    lines.push(`  ${node.padEnd(width)}  revision ${runs}${behind}  told ${age(now - at)} ago${version === '' ? '' : `  ${version}`}`);
  }
  return `${lines.join('\n')}\n`;
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
