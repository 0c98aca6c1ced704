/** Names and weights of Accept-Encoding lines; a weight that is no number counts as 0. Names are left as they are, as in Traefik. */
function* readWeights(lines: readonly string[]): Generator<{ readonly name: string; readonly weight: number }> {
  for (const item of lines.join(',').replaceAll(' ', '').split(',')) {
    const semicolon = item.indexOf(';');
    const name = semicolon === -1 ? item : item.slice(0, semicolon);
    const hasWeight = semicolon !== -1 && item.startsWith('q=', semicolon + 1);
    yield { name, weight: hasWeight ? Number(item.slice(semicolon + 3)) || 0 : 1 };
  }
}

/**
 * Chooses among the offered codings by the client's lines: the highest weight, then the order of the offer; `*` and `identity`
 * when they win. Undefined when nothing fits.
 */
export function chooseCoding(lines: readonly string[], offered: readonly string[]): string | undefined {
  if (lines.length === 1 && lines[0] === '') return 'identity';
  const ranks = new Map([['*', -1], ['identity', offered.length], ...offered.map((name, rank) => [name, rank] as const)]);
  let best: { name: string; weight: number } | undefined;
  for (const item of readWeights(lines)) {
    const rank = ranks.get(item.name);
    if (rank === undefined || item.weight === 0) continue;
    if (best === undefined || item.weight > best.weight || (item.weight === best.weight && rank < ranks.get(best.name)!)) best = item;
  }
  return best?.name;
}

/** Whether the client names a coding and does not refuse it. */
export function namesCoding(lines: readonly string[], coding: string): boolean {
  for (const { name, weight } of readWeights(lines)) if (name === coding) return weight > 0;
  return false;
}
