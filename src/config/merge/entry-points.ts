import type { Infer } from '../../base/schema.ts';
import type { httpRouter } from '../dynamic.ts';
import type { StaticConfiguration } from '../static.ts';

export type Observability = Required<Omit<NonNullable<Infer<typeof httpRouter>['observability']>, 'metadata'>>;

/** What an entry point adds to the routers on it; a router on several entry points is split where there is one. */
export interface Model {
  readonly middlewares: readonly string[];
  readonly tls: Infer<typeof httpRouter>['tls'];
  readonly observability: Observability | undefined;
}

/** All that the merge wants to know of the static configuration. */
export interface EntryPoints {
  readonly tcp: ReadonlySet<string>;
  readonly udp: ReadonlySet<string>;
  /** For routers that name none. */
  readonly defaults: readonly string[];
  readonly models: ReadonlyMap<string, Model>;
  /** Syntax of rules that say none; only where the user set it. */
  readonly ruleSyntax: 'v2' | 'v3' | undefined;
}

export const INTERNAL_ENTRY_POINT = 'traefik';

const isUdp = (address: string | undefined): boolean => /\/udp$/i.test(address ?? '');

export function readEntryPoints({ entryPoints = {}, core }: StaticConfiguration): EntryPoints {
  const names = Object.keys(entryPoints);
  const udp = new Set(names.filter((name) => isUdp(entryPoints[name]!.address)));
  const tcp = new Set(names.filter((name) => !udp.has(name)));
  const flagged = names.some((name) => entryPoints[name]!.asDefault);
  const defaults = [...tcp].filter((name) => name !== INTERNAL_ENTRY_POINT && (!flagged || entryPoints[name]!.asDefault)).sort();
  const ruleSyntax = core?.defaultRuleSyntax as EntryPoints['ruleSyntax'];
  const models = new Map<string, Model>();
  for (const [name, { http, observability }] of Object.entries(entryPoints)) {
    const { middlewares = [], tls, encodedCharacters } = http;
    if (
      middlewares.length === 0 &&
      tls === undefined &&
      ruleSyntax === undefined &&
      observability === undefined &&
      encodedCharacters === undefined
    )
      continue;
    models.set(name, { middlewares, tls, observability });
  }
  return { tcp, udp, defaults, models, ruleSyntax };
}

/** `:8443` of an entry point's address; undefined when there is none. */
export const portOf = (address: string | undefined): string | undefined => /:(\d+)(?:\/\w+)?$/.exec(address ?? '')?.[1];
