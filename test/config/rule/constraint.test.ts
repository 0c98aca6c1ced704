import { expect, test } from 'vitest';
import { type Constraint, hostKey, httpConstraints, tcpConstraints } from '../../../src/config/rule/constraint.ts';

/** `a.test/api*`: a prefix; `=`: complete; `*` alone: anything. */
function show({ hostKind, host, pathKind, path, complete }: Constraint): string {
  const hosts = { any: '', exact: host, wildcard: `*${host}` }[hostKind];
  const paths = { any: '', exact: ` ${path}`, prefix: ` ${path}*` }[pathKind];
  return `${hosts}${paths}${complete ? ' =' : ''}`.trim();
}

test.each<[string, 'v2' | 'v3', string[]]>([
  ['Host(`a.test`)', 'v3', ['a.test =']],
  ['Host(`a.test`) && PathPrefix(`/b c`)', 'v3', ['a.test /b c* =']],
  ['Host(`a.test`)&&Path(`/b`)', 'v2', ['a.test /b =']],
  ['Host(`A.test.`)', 'v3', ['a.test']],
  ['Host(`*.a.test`)', 'v3', ['*.a.test =']],
  ['Host(`*.a.test`)', 'v2', ['*.a.test =']],
  ['Host(`*`)', 'v3', ['=']],
  ['PathPrefix(`/é`)', 'v3', ['/\xc3\xa9* =']],
  ['Host(`a.test`) && Method(`GET`)', 'v3', ['a.test']],
  ['Host(`a.test`) || Host(`b.test`)', 'v3', ['a.test =', 'b.test =']],
  [
    '(Host(`a.test`) || Host(`b.test`)) && (Path(`/x`) || PathPrefix(`/y`))',
    'v3',
    ['a.test /x =', 'a.test /y* =', 'b.test /x =', 'b.test /y* ='],
  ],
  ['Host(`a.test`) || Method(`GET`)', 'v3', ['']],
  ['Host(`a.test`) || Path(``)', 'v3', ['']],
  ['!Host(`a.test`)', 'v3', ['']],
  ['!(!Host(`a.test`) || !Path(`/x`))', 'v3', ['a.test /x =']],
  ['Host(`a.test`) && Host(`*.test`)', 'v3', ['a.test']],
  ['PathPrefix(`/a`) && PathPrefix(`/a/b`)', 'v3', ['/a/b*']],
  ['Host(`a.test`, `b.test`)', 'v2', ['a.test =', 'b.test =']],
  ['Path(`/a/{id}`, `/b`)', 'v2', ['/a/*', '/b']],
  ['Host(`ü.test`)', 'v3', ['']],
])('%s (%s)', (rule, syntax, constraints) => {
  expect(httpConstraints(rule, syntax).map(show)).toEqual(constraints);
});

test.each<[string, 'v2' | 'v3', string[]]>([
  ['HostSNI(`a.test`) && ALPN(`h2`)', 'v3', ['a.test']],
  ['HostSNI(`*`)', 'v3', ['=']],
  ['HostSNI(`*.a.test`)', 'v3', ['*.a.test =']],
  ['HostSNI(`a.test`, `b.test`)', 'v2', ['a.test =', 'b.test =']],
  ['HostSNI(`a.test`, `*`)', 'v2', ['']],
  ['HostSNI(`a.test`) || HostSNI(`/`)', 'v3', ['']],
  ['HostSNI(`a.test`, `/`)', 'v2', ['']],
])('%s (TCP, %s)', (rule, syntax, constraints) => {
  expect(tcpConstraints(rule, syntax).map(show)).toEqual(constraints);
});

test('a product of alternatives does not grow without end', () => {
  const hosts = Array.from({ length: 100 }, (_, i) => `Host(\`h${i}\`)`).join(' || ');
  const paths = Array.from({ length: 100 }, (_, i) => `Path(\`/p${i}\`)`).join(' || ');
  const constraints = httpConstraints(`(${paths}) && (${hosts})`, 'v3');
  expect([constraints.length, show(constraints[99]!)]).toEqual([100, 'h99']);
});

test('final dots are no part of the key of a host', () => {
  expect(['a.test', 'a.test.', 'a..', '.', ''].map(hostKey)).toEqual(['a.test', 'a.test', 'a', '', '']);
});
