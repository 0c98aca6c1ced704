import { describe, expect, it } from 'vitest';
import type { DynamicConfiguration } from '../../src/config/dynamic.ts';
import { createUrgency } from '../../src/providers/urgency.ts';

const configuration = (...servers: object[]) =>
  ({ http: { services: { s: { loadBalancer: { servers } } } } }) as unknown as DynamicConfiguration;
const a = { url: 'http://a' };
const b = { url: 'http://b' };

describe('createUrgency', () => {
  it.each<[string, DynamicConfiguration, DynamicConfiguration, boolean]>([
    ['the same', configuration(a), configuration(a), false],
    ['one more', configuration(a), configuration(a, b), false],
    ['one less', configuration(a, b), configuration(b), true],
    ['one that stops', configuration(a, b), configuration({ ...a, fenced: true }, b), true],
    ['one that stopped', configuration({ ...a, fenced: true }, b), configuration(b), false],
    ['one for another', configuration(a), configuration(b), true],
    ['the first of a service that had lost all', configuration({ ...a, fenced: true }), configuration({ ...a, fenced: true }, b), true],
    ['a new service', {}, configuration(a), false],
    ['a service less', configuration(a), {}, true],
    ['a TCP server less', { tcp: { services: { s: { loadBalancer: { servers: [{ address: 'a:1' }] } } } } } as never, {}, true],
  ])('%s', (_, first, second, expected) => {
    const isUrgent = createUrgency();
    expect(isUrgent(first)).toBe(false);
    expect(isUrgent(second)).toBe(expected);
  });
});
