import { ConfigError, type Place } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import type { StaticConfiguration } from '../../config/static.ts';

/** Where an object was written, by provider and object (`http.routers.blog`). */
export type Places = Map<string, Place>;

/** What one file, folder or stream said. */
export interface ReadSource {
  readonly static?: { readonly configuration: StaticConfiguration | undefined; readonly path: string };
  /** By provider. */
  readonly dynamic: readonly {
    readonly provider: string;
    readonly configuration: DynamicConfiguration;
    readonly places: ReadonlyMap<string, Place>;
  }[];
  /** Objects that were refused, and why a text cannot be read. */
  readonly problems: readonly { readonly provider?: string; readonly error: ConfigError }[];
  readonly warnings: readonly ConfigError[];
}

export interface Text {
  /** As the user named it. */
  readonly name: string;
  readonly text: string;
}

export const fault = (code: ConfigError['code'], message: string, source: string, line?: number): ReadSource => ({
  dynamic: [],
  problems: [{ error: new ConfigError(code, message, { source, line }) }],
  warnings: [],
});
