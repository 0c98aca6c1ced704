import { defaultsOf } from '../../base/decode.ts';
import { violations } from '../../base/violations.ts';
import { tlsOptions } from '../dynamic.ts';
import type { RuntimeConfiguration } from '../runtime.ts';
import { equal } from './equal.ts';
import type { Rejected, Says } from './rejected.ts';

type Tls = RuntimeConfiguration['tls'];

export interface MergedTls {
  readonly merged: Tls;
  /** Why options of this name cannot be used. */
  readonly problemOf: (name: string) => string | undefined;
}

/** Traefik's options where nobody defines `default`. */
const DEFAULT_OPTIONS = { ...defaultsOf(tlsOptions), minVersion: 'VersionTLS12' } as Tls['options'][string];

export function mergeTls(says: Says, rejected: ReadonlyMap<string, Rejected>, before: Tls | undefined): MergedTls {
  const certificates: Tls['certificates'][number][] = [];
  const options: Record<string, Tls['options'][string]> = {};
  const stores: Record<string, Tls['stores'][string]> = {};
  const broken = new Map<string, readonly string[]>();
  const owners = { options: [] as string[], stores: [] as string[] };
  for (const [provider, { configuration }] of says) {
    const { tls } = configuration;
    for (const certificate of tls?.certificates ?? [])
      certificates.push((certificate.stores ?? []).length > 0 ? certificate : { ...certificate, stores: ['default'] });
    for (const [name, value] of Object.entries(tls?.options ?? {})) options[nameOf(name, provider, owners.options)] = value;
    for (const [name, value] of Object.entries(tls?.stores ?? {})) stores[nameOf(name, provider, owners.stores)] = value;
    // The others stay as they were.
    for (const [name, errors] of rejected.get(provider)?.get('tls.options') ?? [])
      if (!Object.hasOwn(tls?.options ?? {}, name)) broken.set(nameOf(name, provider, owners.options), errors);
  }
  // Which of several would be in force could only be guessed.
  if (owners.stores.length > 1) delete stores.default;
  if (owners.options.length > 1) delete options.default;
  if (owners.options.length === 0) options.default = DEFAULT_OPTIONS;
  const merged = { certificates, options, stores };
  return {
    merged: before !== undefined && equal(before, merged) ? before : merged,
    problemOf(name) {
      if (options[name] !== undefined) return problemIn(name, options[name]);
      if (name === 'default' && owners.options.length > 1)
        return `The TLS options 'default' are defined by several providers (${owners.options.join(', ')}), so none is used; keep one`;
      const errors = broken.get(name);
      return errors === undefined ? `There are no TLS options '${name}'` : `The TLS options '${name}' are broken: ${errors.join('; ')}`;
    },
  };
}

const judged = new WeakMap<object, string | undefined>();

/** Values that were taken, but that nothing can be made of. */
function problemIn(name: string, options: Tls['options'][string]): string | undefined {
  if (judged.has(options)) return judged.get(options);
  const found = violations(tlsOptions, options).map(({ path, message }) => `${path.join('.')}: ${message}`);
  const problem = found.length === 0 ? undefined : `The TLS options '${name}' are broken: ${found.join('; ')}`;
  judged.set(options, problem);
  return problem;
}

/** Only the name `default` is one for all providers. */
function nameOf(name: string, provider: string, owners: string[]): string {
  if (name !== 'default') return `${name}@${provider}`;
  owners.push(provider);
  return name;
}
