import { describe, expect, it } from 'vitest';
import { completeHttpRouters, completeTcpRouters, completeUdpRouters } from '../../src/providers/implied.ts';

describe('completeHttpRouters', () => {
  it.each<[string, object, string[], object]>([
    ['both', {}, ['s'], { rule: 'Host(`x`)', defaultRule: true, service: 's' }],
    ['the rule', { service: 'x@file' }, ['s'], { rule: 'Host(`x`)', defaultRule: true, service: 'x@file' }],
    ['the service', { rule: 'a' }, ['s'], { rule: 'a', service: 's' }],
    ['nothing that is said', { rule: 'a', service: 'b' }, ['s', 't'], { rule: 'a', service: 'b' }],
    ['no service where there is none', { rule: 'a' }, [], { rule: 'a' }],
  ])('adds %s', (_, router, services, expected) => {
    expect(completeHttpRouters({ r: router }, services, () => 'Host(`x`)')).toEqual({ routers: { r: expected }, problems: [] });
  });

  it.each<[string, object, string[], string]>([
    ['several services', { rule: 'a' }, ['s', 't'], 'there are several (s, t)'],
    ['an empty default rule', {}, ['s'], 'the default rule is empty'],
  ])('refuses one router for %s', (_, router, services, message) => {
    const { routers, problems } = completeHttpRouters({ r: router, good: { rule: 'a', service: 's' } }, services, () => '');
    expect(Object.keys(routers)).toEqual(['good']);
    expect(problems[0]!.message).toContain(message);
    expect(problems[0]!.place.object).toBe('http.routers.r');
  });
});

describe('the others', () => {
  it('want a rule for TCP', () => {
    const { routers, problems } = completeTcpRouters<object>({ r: {}, t: { rule: 'HostSNI(`*`)' } }, ['s']);
    expect(routers).toEqual({ t: { rule: 'HostSNI(`*`)', service: 's' } });
    expect(problems[0]!.message).toContain('write one, as HostSNI(`*`)');
  });
  it('have none for UDP', () => {
    expect(completeUdpRouters<object>({ r: {} }, ['s']).routers).toEqual({ r: { service: 's' } });
  });
});
