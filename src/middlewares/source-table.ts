import type { MiddlewareContext } from './middleware.ts';

/** Sources of all middlewares of one kind that are remembered together; the one longest unused gives way. */
const MAX_SOURCES = 262_144;

export interface SourceTable {
  /** Runs `update` alone on the source's row (zeros when it is new). */
  update<T>(source: string, update: (row: Float64Array) => T): T;
}

/**
 * Rows by source for one middleware of one router. They lie in one table of fixed size for all routers: a table for each would
 * fill the agent's memory with a few hundred of them. `held` as in TableShape.
 */
export function createSourceTable(
  { name, router, sharedCells }: MiddlewareContext,
  kind: string,
  columns: number,
  held?: number,
): SourceTable {
  const table = sharedCells.table(kind, { capacity: MAX_SOURCES, columns, ...(held !== undefined && { held }) });
  const owner = `${router} ${name} `;
  return { update: (source, update) => table.update(owner + source, update) };
}
