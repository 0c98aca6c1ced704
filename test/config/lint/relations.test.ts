import { describe, expect, it } from 'vitest';
import { Cancellation, createFacts, HeaderList } from '../../../src/base/message.ts';
import { areDisjoint, covers } from '../../../src/config/lint/relations.ts';
import { createRoutingView } from '../../../src/config/rule/routing-view.ts';
import { compileHttpRule, parseHttpRule } from '../../../src/config/rule/rule.ts';

const tree = (rule: string) => parseHttpRule(rule, 'v3');

describe('covers', () => {
  it.each([
    ['Host(`a`)', 'Host(`a`) && PathPrefix(`/x`)', true],
    ['Host(`A`)', 'Host(`a`)', true],
    ['Host(`*.a`)', 'Host(`b.a`)', true],
    ['PathPrefix(`/`)', 'Host(`a`)', true],
    ['HostRegexp(`^.+$`)', 'Host(`a`)', true],
    ['HostRegexp(`^[a-z]+$`)', 'Host(`abc`) && Method(`GET`)', true],
    ['Host(`a`) || Host(`b`)', 'Host(`b`)', true],
    ['Host(`a`) || Host(`b`)', 'Host(`b`) || Host(`a`)', true],
    ['PathPrefix(`/x`)', 'Path(`/x/y`)', true],
    ['!Host(`a`)', 'Host(`b`)', true],
    ['!(Host(`a`) || Host(`b`))', 'Host(`c`) && Path(`/`)', true],
    ['Header(`x-a`, `1`)', 'Header(`X-A`, `1`) && Path(`/`)', true],
    ['Host(`a`) && PathPrefix(`/x`)', 'Host(`a`)', false],
    ['Host(`b.a`)', 'Host(`*.a`)', false],
    ['PathPrefix(`/x`)', 'PathPrefix(`/`)', false],
    ['Host(`a`)', 'Host(`a`) || Host(`b`)', false],
    ['Header(`X-A`, `1`)', 'Header(`X-A`, `2`)', false],
  ])('%s covers %s: %s', (wide, narrow, expected) => expect(covers(tree(wide), tree(narrow))).toBe(expected));
});

describe('areDisjoint', () => {
  it.each([
    ['Host(`a`)', 'Host(`b`)', true],
    ['Host(`a`) && Path(`/x`)', 'Host(`a`) && Path(`/y`)', true],
    ['Path(`/x`)', 'PathPrefix(`/y`)', true],
    ['Method(`GET`)', 'Method(`post`)', true],
    ['Host(`a`)', '!Host(`a`)', true],
    ['Host(`a.b`)', 'Host(`*.c`)', true],
    ['Host(`a`) || Host(`b`)', 'Host(`c`)', true],
    ['Host(`a`)', 'PathPrefix(`/y`)', false],
    ['PathPrefix(`/x`)', 'PathPrefix(`/x/y`)', false],
    ['Header(`X`, `1`)', 'Header(`X`, `2`)', false],
    ['Host(`a`) || Host(`b`)', 'Host(`b`)', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(areDisjoint(tree(a), tree(b))).toBe(expected);
    expect(areDisjoint(tree(b), tree(a))).toBe(expected);
  });
});

it('never claims what a request disproves', () => {
  const calls = [
    'Host(`a.test`)',
    'Host(`b.test`)',
    'Host(`*.test`)',
    'HostRegexp(`^[ab]`)',
    'Path(`/x`)',
    'PathPrefix(`/x`)',
    'PathPrefix(`/`)',
    'PathRegexp(`^/y`)',
    'Method(`GET`)',
    'Header(`X`, `1`)',
    'HeaderRegexp(`X`, `[12]`)',
  ];
  let seed = 7;
  const random = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * n);
  };
  const rule = (depth: number): string => {
    if (depth === 0 || random(3) === 0) return `${random(4) === 0 ? '!' : ''}${calls[random(calls.length)]}`;
    const text = `(${rule(depth - 1)} ${random(2) === 0 ? '&&' : '||'} ${rule(depth - 1)})`;
    return random(5) === 0 ? `!${text}` : text;
  };
  const views = ['a.test', 'b.test', 'c.other', 'test'].flatMap((host) =>
    ['/', '/x', '/x/1', '/y', '/xy'].flatMap((path) =>
      ['GET', 'POST'].flatMap((method) => [[], ['1'], ['2'], ['1', '3']].map((values) => view(host, path, method, values))),
    ),
  );
  let claims = 0;
  for (let i = 0; i < 4000; i++) {
    const [a, b] = [rule(2), rule(2)];
    const [first, second] = [compileHttpRule(a), compileHttpRule(b)];
    if (covers(first.tree, second.tree)) {
      claims++;
      for (const one of views) if (second.test(one)) expect(first.test(one), `${a} covers ${b}`).toBe(true);
    }
    if (areDisjoint(first.tree, second.tree)) {
      claims++;
      for (const one of views) expect(first.test(one) && second.test(one), `${a} and ${b} are disjoint`).toBe(false);
    }
  }
  expect(claims).toBeGreaterThan(300);
});

function view(host: string, path: string, method: string, values: readonly string[]) {
  const headers = new HeaderList();
  for (const value of values) headers.append('X', value);
  return createRoutingView({
    method,
    path,
    query: undefined,
    host,
    protocol: 'HTTP/1.1',
    scheme: 'http',
    headers,
    body: undefined,
    clientAddress: '127.0.0.1',
    clientPort: 1,
    tls: undefined,
    entryPoint: 'web',
    upgrade: undefined,
    cancellation: new Cancellation(),
    interim: undefined,
    facts: createFacts(0),
  });
}
