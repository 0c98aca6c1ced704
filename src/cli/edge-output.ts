import type { HubStatus, RevisionDiff, RevisionSummary } from '../config/hub-protocol.ts';
import { fieldChanges } from '../kv-sync/plan.ts';

/** What operators read. */
export function formatStatus({ now, revision, pending, pinned, publishers, conflicts, problems }: HubStatus): string {
  const lines = [`Revision ${revision} is in force.`];
  if (pending !== null)
    lines.push(
      `Revision ${pending.revision} is on its way to KV${pending.error === null ? '.' : `: ${pending.error}; the hub goes on trying.`}`,
    );
  if (pinned !== null)
    lines.push(
      `It has what revision ${pinned.revision} had: ${pinned.by} rolled back ${ago(now - pinned.at)}. 'edgeway edge release' ends that.`,
    );
  lines.push(
    '',
    ...table(
      ['PUBLISHER', 'KIND', 'LEASE', 'SEEN', 'ROUTERS', 'RELAY', 'WITHOUT SERVERS'],
      publishers.map((publisher) => [
        publisher.name,
        publisher.kind,
        publisher.lease,
        publisher.seenAt === null ? 'never' : ago(now - publisher.seenAt),
        String(publisher.routers),
        publisher.link?.address ?? '',
        publisher.down.join(', '),
      ]),
    ),
  );
  for (const { rule, entryPoint, winner, losers } of conflicts)
    lines.push(
      '',
      `Conflict: ${rule} by ${entryPoint}`,
      ...[winner, ...losers].map(
        (side, index) => `  ${index === 0 ? 'in force' : 'not     '}  ${side.router} of ${side.publishers.join(', ')}`,
      ),
    );
  for (const { publisher, object, message } of problems) lines.push('', `Left out: ${object} of ${publisher}`, `  ${message}`);
  return `${lines.join('\n')}\n`;
}

export function formatHistory(revisions: readonly RevisionSummary[]): string {
  const rows = revisions.map(({ revision, at, kind, who, changes }) => [
    String(revision),
    new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
    kind,
    who.join(', '),
    [...names('+', changes.added), ...names('~', changes.changed), ...names('-', changes.removed)].slice(0, 5).join(' ') +
      (changes.count > 5 ? ` and ${changes.count - 5} more` : ''),
  ]);
  return `${table(['REVISION', 'WHEN', 'WHAT', 'WHO', 'CHANGES'], rows).join('\n')}\n`;
}

const names = (sign: string, objects: readonly string[]): string[] => objects.map((object) => sign + object);

export function formatDiff({ from, to, changes }: RevisionDiff): string {
  const lines = changes.flatMap(({ object, before, after }) => {
    const sign = before === null ? '+' : after === null ? '-' : '~';
    const fields = fieldChanges(before ?? {}, after ?? {});
    return [
      `${sign} ${object}`,
      ...fields.map(({ path, old, now }) => `    ${path}: ${before === null ? now : after === null ? old : `${old} → ${now}`}`),
    ];
  });
  return `${changes.length === 0 ? `Revisions ${from} and ${to} are the same.` : lines.join('\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
}
