import type { CandidateRouter, Explained, ExplainedEntryPoint, ExplainedService } from './model.ts';

export function formatExplained({ asked, entryPoints }: Explained): string {
  const parts = entryPoints.map((entryPoint) => formatEntryPoint(entryPoint).join('\n'));
  return `${[asked, ...parts].join('\n\n')}\n`;
}

function formatEntryPoint({ entryPoint, address, refusal, levels, router, chain, place, service }: ExplainedEntryPoint): string[] {
  const lines = [`Entry point ${entryPoint}${address === undefined || address === '' ? '' : ` (${address})`}`];
  if (refusal !== undefined) return [...lines, `  ${refusal}`];
  for (const { parent, candidates, others } of levels) {
    lines.push(parent === undefined ? '  Routers, in the order in which they are asked:' : `  Routers below ${parent}:`);
    for (const candidate of candidates) lines.push(...formatCandidate(candidate));
    if (candidates.length === 0) lines.push('    none');
    if (others > 0) lines.push(`    and ${others} of other hosts (--all shows them)`);
  }
  lines.push(router === undefined ? '  Nobody takes it: 404' : `  Taken by ${router}`);
  if (chain.length > 0) {
    lines.push('  Chain:');
    for (const [index, { name, kind, of, edge }] of chain.entries())
      lines.push(`    ${index + 1}. ${name} (${kind}, of ${of})${edge === true ? '' : `; not at the edge: ${edge}`}`);
  }
  if (place !== undefined) lines.push(`  Runs ${place}`);
  if (service !== undefined) lines.push('  Service:', ...formatService(service, '    '));
  return lines;
}

const WORDS: Record<CandidateRouter['verdict'], string> = {
  taken: 'takes it',
  later: 'would match too',
  no: 'no',
  disabled: 'would match, but is disabled',
};

function formatCandidate({ router, rule, priority, verdict, reasons }: CandidateRouter): string[] {
  const why = reasons.length === 0 ? '' : `: ${reasons.slice(0, 3).join(verdict === 'no' ? ' and ' : '; ')}`;
  return [`    ${router} (priority ${priority}): ${WORDS[verdict]}${why}`, ...(verdict === 'no' ? [] : [`      ${rule}`])];
}

function formatService({ name, kind, problem, servers, children }: ExplainedService, indent: string): string[] {
  return [
    `${indent}${name}${kind === '' ? '' : ` (${kind})`}${problem === undefined ? '' : ` – ${problem}`}`,
    ...servers.map((server) => `${indent}  ${server}`),
    ...children.flatMap((child) => formatService(child, `${indent}  `)),
  ];
}
