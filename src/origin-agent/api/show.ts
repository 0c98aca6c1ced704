import { encode } from '../../base/encode.ts';
import type { Schema } from '../../base/schema.ts';

/** JSON text as it stands: 64-bit numbers keep their digits. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** Scalars that Traefik keeps as pointers: shown even when they are false, 0 or empty. */
const ALWAYS_SHOWN = new Set([
  'accessControlMaxAge',
  'accessLogs',
  'autoDetect',
  'caOptional',
  'featurePolicy',
  'followRedirects',
  'forceSlash',
  'ipv6Subnet',
  'maxBodySize',
  'maxResponseBodySize',
  'metrics',
  'mirrorBody',
  'passHostHeader',
  'sanitizePath',
  'stsSeconds',
  'terminationDelay',
  'tracing',
  'trustForwardHeader',
  'unhealthyInterval',
  'weight',
]);

/** The value as Traefik's API shows it: in the file provider's spelling, without what is empty, secrets as `***`. */
export function show(schema: Schema, value: unknown): Record<string, unknown> {
  return (prune(
    schema,
    encode(schema, value, () => '***'),
  ) ?? {}) as Record<string, unknown>;
}

function prune(schema: Schema, value: unknown): unknown {
  switch (schema.kind) {
    case 'object':
      return Object.fromEntries(
        Object.entries(value as Record<string, unknown>).flatMap(([name, item]) => {
          const field = schema.fields![name]!;
          const kept = prune(field, item);
          return isEmpty(field, kept) && !(ALWAYS_SHOWN.has(name) && kept !== undefined) ? [] : [[name, kept]];
        }),
      );
    case 'map':
      return Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, prune(schema.items!, item)]));
    case 'list':
      return (value as unknown[]).map((item) => prune(schema.items!, item));
    case 'integer':
      return typeof value === 'string' ? rawJson(value) : value;
    default:
      return value;
  }
}

function isEmpty(schema: Schema, value: unknown): boolean {
  switch (schema.kind) {
    case 'object':
      return value === undefined;
    case 'map':
      return Object.keys((value ?? {}) as object).length === 0;
    case 'list':
      return ((value ?? []) as unknown[]).length === 0;
    case 'duration':
      return value === undefined || value === '0s';
    default:
      return value === undefined || value === '' || value === false || value === 0;
  }
}
