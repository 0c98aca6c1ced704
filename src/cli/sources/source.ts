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

/** Objects of a configuration with the place that `placeOf` knows. */
export function placesOf(configuration: DynamicConfiguration, placeOf: (path: readonly string[]) => Place | undefined): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [section, kinds] of Object.entries(configuration)) {
    for (const [kind, objects] of Object.entries((kinds ?? {}) as Record<string, object>)) {
      if (Array.isArray(objects)) continue;
      for (const name of Object.keys(objects ?? {})) {
        const place = placeOf([section, kind, name]);
        if (place !== undefined) places.set(`${section}.${kind}.${name}`, place);
      }
    }
  }
  return places;
}
