/**
 * An option set is declared once: its schema gives the type, the default, the validation, the label key, the JSON Schema and
 * the reference page. A schema is plain data; `decode` (below), `json-schema.ts` and `reference.ts` read it.
 */
export type Kind = 'string' | 'integer' | 'number' | 'boolean' | 'duration' | 'list' | 'map' | 'object' | 'any';

export interface Schema<T = unknown, Present extends boolean = boolean> {
  readonly kind: Kind;
  readonly summary: string;
  readonly default?: unknown;
  readonly required?: boolean;
  /** Never printed, never in KV in the clear. */
  readonly secret?: boolean;
  /** A path of a file or its content; providers replace a path by the content. */
  readonly fileOrContent?: boolean;
  /** `true`, an empty text or `{}` stand for the object with its defaults; any other text means absent. Without it `{}` is refused. Traefik forgot flat keys for some. */
  readonly presence?: boolean | 'not in keys';
  /** False: cannot be written in labels; the key is passed over there. */
  readonly labels?: false;
  /** Written in labels only; elsewhere the key is passed over. */
  readonly onlyLabels?: true;
  /** A word that only Edgeway has: left out where Traefik is to read the text. */
  readonly own?: true;
  /** Set by providers, never read from text; a key of this name is passed over. Without a `note` the object still means the same. */
  readonly internal?: 'note' | 'meaning';
  /** Another name in labels, where a list of objects is written as one object (`server` for `servers`). */
  readonly labelName?: string;
  /** What to write instead. */
  readonly deprecated?: string;
  /** Decoded and shown, but acted on by nobody yet: `check` and the start say so. */
  readonly ignored?: string;
  /** Allowed texts, compared exactly. */
  readonly values?: readonly string[];
  /**
   * Other texts than `values` are taken with a warning. `harmless`: they stand for the default. `broken`: the object is shown and
   * must not be used; `violations` names it.
   */
  readonly open?: 'harmless' | 'broken';
  readonly fields?: Fields;
  readonly items?: Schema;
  /** Entries of the map or list, or fields of the object, fail alone: the others are kept. */
  readonly isolate?: boolean;
  /** Says what is wrong with a value, and what to write instead; undefined when it is right. */
  readonly check?: (value: never) => string | undefined;
  /** Only for the type. */
  readonly $type?: T;
  readonly $present?: Present;
}

export type Fields = Record<string, Schema>;
export type Infer<S> = S extends Schema<infer T> ? T : never;

type PresentKeys<F extends Fields> = { [K in keyof F]: F[K] extends Schema<unknown, true> ? K : never }[keyof F];
export type InferFields<F extends Fields> = { [K in PresentKeys<F>]: Infer<F[K]> } & {
  [K in Exclude<keyof F, PresentKeys<F>>]?: Infer<F[K]>;
};

interface Options<T> {
  readonly default?: T;
  readonly required?: true;
  readonly secret?: true;
  readonly fileOrContent?: true;
  readonly presence?: true | 'not in keys';
  readonly labels?: false;
  readonly onlyLabels?: true;
  readonly own?: true;
  readonly internal?: 'note' | 'meaning';
  readonly labelName?: string;
  readonly deprecated?: string;
  readonly ignored?: string;
  readonly isolate?: true;
  readonly check?: (value: T) => string | undefined;
}
type IsPresent<O> = O extends { default: unknown } | { required: true } ? true : false;

export const string = <const O extends Options<string>>(summary: string, options?: O): Schema<string, IsPresent<O>> =>
  ({ ...options, kind: 'string', summary }) as never;

export const oneOf = <const V extends readonly string[], const O extends Options<V[number]> & { open?: 'harmless' | 'broken' }>(
  values: V,
  summary: string,
  options?: O,
): Schema<V[number], IsPresent<O>> => ({ ...options, kind: 'string', summary, values }) as never;

export const boolean = <const O extends Options<boolean>>(summary: string, options?: O): Schema<boolean, IsPresent<O>> =>
  ({ ...options, kind: 'boolean', summary }) as never;

/** A whole number; values beyond ±(2⁵³−1) decode to bigint, up to 64 bits. */
export const integer = <const O extends Options<number>>(summary: string, options?: O): Schema<number, IsPresent<O>> =>
  ({ ...options, kind: 'integer', summary }) as never;

export const number = <const O extends Options<number>>(summary: string, options?: O): Schema<number, IsPresent<O>> =>
  ({ ...options, kind: 'number', summary }) as never;

/** Milliseconds; written as Go's text or as seconds. */
export const duration = <const O extends Options<number>>(summary: string, options?: O): Schema<number, IsPresent<O>> =>
  ({ ...options, kind: 'duration', summary }) as never;

export const list = <T, const O extends Options<T[]>>(items: Schema<T>, summary: string, options?: O): Schema<T[], IsPresent<O>> =>
  ({ ...options, kind: 'list', summary, items }) as never;

export const map = <T, const O extends Options<Record<string, T>>>(
  items: Schema<T>,
  summary: string,
  options?: O,
): Schema<Record<string, T>, IsPresent<O>> => ({ ...options, kind: 'map', summary, items }) as never;

export const object = <const F extends Fields, const O extends Options<Partial<InferFields<F>>>>(
  fields: F,
  summary: string,
  options?: O,
): Schema<InferFields<F>, IsPresent<O>> => ({ ...options, kind: 'object', summary, fields }) as never;

/** Whatever was written (plugin options). */
export const any = (summary: string, options?: Options<unknown>): Schema<unknown, false> => ({ ...options, kind: 'any', summary });

/** The same schema with other properties (another summary, a default). */
export const vary = <S extends Schema>(schema: S, changes: Partial<Schema>): S => ({ ...schema, ...changes });
