import { fileURLToPath } from 'node:url';
import { dynamicConfiguration } from '../../src/config/dynamic.ts';
import { testRefusedValues } from '../support/refused-values.ts';

/** Routers, services and all else of the dynamic configuration but middlewares, which have rows of their own. */
const places = Object.entries(dynamicConfiguration.fields!).flatMap(([protocol, { fields }]) =>
  Object.entries(fields!)
    .filter(([kind]) => kind !== 'middlewares')
    .map(([kind, { items }]) => [`${protocol}.${kind}`, items!] as const),
);

testRefusedValues(fileURLToPath(new URL('refused-values.txt', import.meta.url)), new Map(places));
