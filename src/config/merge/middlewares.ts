import { createLocalCells } from '../../base/cells.ts';
import type { Clock } from '../../base/clock.ts';
import { ConfigError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { HTTP_MIDDLEWARES } from '../../middlewares/index.ts';
import type { MiddlewareContext, MiddlewareDefinition, MiddlewarePlatform } from '../../middlewares/middleware.ts';
import { providerOf, qualify } from '../names.ts';
import { createGraph, type Graph } from './graph.ts';

export interface MiddlewareSources {
  readonly find: (name: string) => Readonly<Record<string, unknown>> | undefined;
  readonly rejected: (name: string) => readonly string[] | undefined;
  readonly hasService: (name: string) => boolean;
  /** Reads files and such where the merge runs; without it what needs a file is not judged. */
  readonly platform?: MiddlewarePlatform;
}

const kindsOf = (config: Readonly<Record<string, unknown>>): string[] => Object.keys(config).filter((kind) => config[kind] !== undefined);

/** Verdicts about options alone, by the object that holds them; they hold while the object does. */
const judged = new WeakMap<object, readonly string[]>();

export function httpMiddlewares(sources: MiddlewareSources): Graph {
  return createGraph({
    noun: 'middleware',
    missing: (name) => `There is no middleware '${name}'`,
    judge(name, use) {
      const config = sources.find(name);
      const rejected = sources.rejected(name);
      if (rejected !== undefined || config === undefined) return rejected;
      const kinds = kindsOf(config);
      const problem = kindProblem(kinds, Object.keys(HTTP_MIDDLEWARES));
      if (problem !== undefined) return [problem];
      const definition = (HTTP_MIDDLEWARES as Record<string, MiddlewareDefinition>)[kinds[0]!]!;
      const options = config[definition.kind] as never;
      if (definition.expand !== undefined) return definition.expand(options).flatMap((child) => use(qualify(child, providerOf(name))));
      return tryOut(name, config, definition, options, sources);
    },
  });
}

export function tcpMiddlewares(sources: Pick<MiddlewareSources, 'find' | 'rejected'>, known: readonly string[]): Graph {
  return createGraph({
    noun: 'middleware',
    missing: (name) => `There is no middleware '${name}'`,
    judge(name) {
      const config = sources.find(name);
      const rejected = sources.rejected(name);
      if (rejected !== undefined || config === undefined) return rejected;
      const problem = kindProblem(kindsOf(config), known);
      return problem === undefined ? [] : [problem];
    },
  });
}

function kindProblem(kinds: readonly string[], known: readonly string[]): string | undefined {
  if (kinds.length === 0) return `The middleware has no kind; write one of ${known.slice(0, 6).join(', ')} …`;
  if (kinds.length > 1) return `The middleware has several kinds (${kinds.join(', ')}); write a middleware for each`;
  return undefined;
}

/** Builds the middleware once and throws it away: creation is where its options are judged. */
function tryOut(
  name: string,
  config: object,
  definition: MiddlewareDefinition,
  options: never,
  sources: MiddlewareSources,
): readonly string[] {
  const known = judged.get(config);
  if (known !== undefined) return known;
  if (definition.create === undefined)
    return [`Nobody implements the middleware '${definition.kind}' yet; its routers are disabled rather than left unguarded`];
  let usesServices = false;
  const context: MiddlewareContext = {
    name,
    router: name,
    place: 'agent',
    clock: STILL,
    random: () => 0,
    cells: createLocalCells(),
    log: SILENT,
    service(child) {
      usesServices = true;
      const full = qualify(child, providerOf(name));
      if (!sources.hasService(full)) throw new ConfigError('config.reference', `There is no service '${full}'`);
      return nobody;
    },
    fetch: nobody,
    platform: sources.platform ?? BLIND,
  };
  let errors: string[] = [];
  try {
    definition.create(options, context);
  } catch (error) {
    // Whether a file exists is judged where it is read.
    if (!(error instanceof ConfigError && error.code === 'config.io' && sources.platform === undefined))
      errors = [(error as Error).message];
  }
  if (!usesServices && sources.platform === undefined) judged.set(config, errors);
  return errors;
}

const nobody = (): Promise<never> => Promise.reject(new Error('only tried out'));
const STILL: Clock = { now: () => 0, after: () => () => {} };
const SILENT: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, with: () => SILENT } as never;
const BLIND: MiddlewarePlatform = {
  readFile(path) {
    throw new ConfigError('config.io', `The file '${path}' is not read here`);
  },
};
