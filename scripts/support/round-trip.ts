import { encode } from '../../src/base/encode.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../../src/config/dynamic.ts';
import { normalize } from '../vectors/dynamic.ts';

/** A configuration as its flat spellings can hold it: without words of our own, notes of providers and empty lists, scalars as texts. */
export function written(configuration: DynamicConfiguration): unknown {
  const text = JSON.stringify(normalize(encode(dynamicConfiguration, configuration)), (key, value) => {
    if (key === 'edge' || key === 'fenced') return undefined;
    return typeof value === 'object' ? value : String(value);
  });
  return JSON.parse(text);
}
