import type { Place } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';

/** Objects of a configuration, as `http.routers.blog`, with the place that `placeOf` knows. */
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
