import { createLocalCells } from '../../base/cells.ts';
import type { Clock } from '../../base/clock.ts';
import { ConfigError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { HTTP_MIDDLEWARES, TCP_MIDDLEWARES } from '../../middlewares/index.ts';
import type { MiddlewareContext, MiddlewareDefinition, MiddlewarePlatform } from '../../middlewares/middleware.ts';
import type { TcpMiddlewareDefinition } from '../../middlewares/tcp-middleware.ts';
import { createGraph, type Graph } from './graph.ts';
import { reference } from './names.ts';
import { createRegistry, type Protocol, type Registry, type Slot } from './registry.ts';

interface MiddlewareFacts {
  readonly kinds: readonly string[];
  /** What its creation said, while that depends on nothing else. */
  tried: readonly string[] | undefined;
}
export type MiddlewareSlot = Slot<MiddlewareFacts>;

export const middlewareRegistry = (protocol: Protocol): Registry<MiddlewareSlot> =>
  createRegistry(protocol, 'middlewares', ({ written }) => ({
    kinds: Object.entries((written ?? {}) as object).flatMap(([kind, options]) => (options === undefined ? [] : [kind])),
    tried: undefined,
  }));

export interface MiddlewareNeighbours {
  readonly hasService: (name: string) => boolean;
  /** Reads files and such where the merge runs; without it what needs a file is not judged. */
  readonly platform?: MiddlewarePlatform;
}

const missing = (name: string): string => `There is no middleware '${name}'`;

export function httpMiddlewareGraph(slots: ReadonlyMap<string, MiddlewareSlot>, neighbours: MiddlewareNeighbours): Graph<MiddlewareSlot> {
  return createGraph<MiddlewareSlot>({
    noun: 'middleware',
    slots,
    missing,
    judge(slot, use) {
      const problem = kindProblem(slot.facts.kinds, Object.keys(HTTP_MIDDLEWARES));
      if (problem !== undefined) return [problem];
      const definition = (HTTP_MIDDLEWARES as Record<string, MiddlewareDefinition>)[slot.facts.kinds[0]!]!;
      const options = (slot.written as Record<string, unknown>)[definition.kind] as never;
      if (definition.expand !== undefined) return definition.expand(options).flatMap((child) => use(reference(child, slot.owner)));
      return slot.facts.tried ?? tryOut(slot, definition, options, neighbours);
    },
  });
}

export function tcpMiddlewareGraph(slots: ReadonlyMap<string, MiddlewareSlot>, known: readonly string[]): Graph<MiddlewareSlot> {
  return createGraph<MiddlewareSlot>({
    noun: 'middleware',
    slots,
    missing,
    judge({ facts, written }) {
      const problem = kindProblem(facts.kinds, known);
      if (problem !== undefined) return [problem];
      const kind = facts.kinds[0]!;
      const { check } = (TCP_MIDDLEWARES as Record<string, TcpMiddlewareDefinition>)[kind]!;
      return (facts.tried ??= complaints(() => check?.((written as Record<string, unknown>)[kind] as never)));
    },
  });
}

function complaints(judge: () => void): readonly string[] {
  try {
    judge();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function kindProblem(kinds: readonly string[], known: readonly string[]): string | undefined {
  if (kinds.length === 0) return `The middleware has no kind; write one of ${known.slice(0, 6).join(', ')} …`;
  if (kinds.length > 1) return `The middleware has several kinds (${kinds.join(', ')}); write a middleware for each`;
  return undefined;
}

/** Builds the middleware once and throws it away: creation is where its options are judged. */
function tryOut(
  { key, owner, facts }: MiddlewareSlot,
  definition: MiddlewareDefinition,
  options: never,
  { hasService, platform }: MiddlewareNeighbours,
): readonly string[] {
  if (definition.create === undefined)
    return [`Nobody implements the middleware '${definition.kind}' yet; its routers are disabled rather than left unguarded`];
  let usesServices = false;
  let usesFiles = false;
  const context: MiddlewareContext = {
    name: key,
    router: key,
    place: 'agent',
    clock: STILL,
    random: () => 0,
    cells: createLocalCells(),
    sharedCells: createLocalCells(),
    log: SILENT,
    service(child) {
      usesServices = true;
      const full = reference(child, owner);
      if (!hasService(full)) throw new ConfigError('config.reference', `There is no service '${full}'`);
      return nobody;
    },
    fetch: nobody,
    platform: {
      ...(platform ?? BLIND),
      readFile(path) {
        usesFiles = true;
        return (platform ?? BLIND).readFile!(path);
      },
    },
  };
  let errors: readonly string[] = [];
  try {
    definition.create(options, context);
  } catch (error) {
    // Whether a file exists is judged where it is read.
    if (!(error instanceof ConfigError && error.code === 'config.io' && platform === undefined)) errors = [(error as Error).message];
  }
  if (!usesServices && !(usesFiles && platform !== undefined)) facts.tried = errors;
  return errors;
}

const nobody = (): Promise<never> => Promise.reject(new Error('only tried out'));
const STILL: Clock = { now: () => 0, after: () => () => {} };
const SILENT: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, with: () => SILENT };
const BLIND: MiddlewarePlatform = {
  readFile(path) {
    throw new ConfigError('config.io', `The file '${path}' is not read here`);
  },
  redis: () => ({ evaluate: nobody }),
};
