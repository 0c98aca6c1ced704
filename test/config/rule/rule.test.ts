import { describe, expect, it, test } from 'vitest';
import { createRequest } from '../../../src/base/message.ts';
import { createRoutingView } from '../../../src/config/rule/routing-view.ts';
import {
  checkPriority,
  compileHttpRule,
  compileTcpRule,
  MAX_PRIORITY,
  ruleDomains,
  rulePriority,
  ruleSyntax,
  tcpRuleDomains,
  tcpRulePriority,
} from '../../../src/config/rule/rule.ts';

// What rules match is told by the recorded vectors (test/conformance/rules.test.ts); here is what surrounds it.

describe('compileHttpRule says what is wrong', () => {
  it.each<[string, 'v2' | 'v3', string]>([
    ['Path()', 'v3', 'column 1: Path needs an argument'],
    ['Host(`a`) && Path(``)', 'v3', 'column 14: Path has an empty argument; write a value'],
    ['Query(`a`, ``)', 'v3', 'Query has an empty argument; write a value, or leave it out'],
    ['Host(`a`, `b`)', 'v3', 'Host takes 1 argument, not 2; write Host(`a`) || Host(`b`)'],
    ['Host(`a`, `b`, `c`, `d`)', 'v3', 'write Host(`a`) || Host(`b`) || Host(`c`) || …'],
    ['Header(`a`)', 'v3', 'Header takes 2 arguments, not 1'],
    ['Query(`a`, `b`, `c`)', 'v3', 'Query takes 1 or 2 arguments, not 3'],
    ['Path(`a`)', 'v3', "Path: the path 'a' does not begin with /"],
    ['Host(`bücher.test`)', 'v3', "Host: Host takes ASCII only, not 'bücher.test'; write international names in punycode (xn--…)"],
    ['ClientIP(`10.1`)', 'v3', "ClientIP: '10.1' is no address and no network; write 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32"],
    ['PathRegexp(`(?=a)`)', 'v3', "PathRegexp: The expression '(?=a)' is not valid RE2"],
    ['PathRegexp("\\xff")', 'v3', 'is not UTF-8'],
    ['Path(`/{id`)', 'v2', "Path: the braces of '/{id' do not match"],
    ['Path(`/{:a}`)', 'v2', "'{:a}' needs a name and an expression, as {id:[0-9]+}"],
    ['Headers(`a`)', 'v2', 'names and values come in pairs, as Headers(`name`, `value`)'],
    ['Query(`a`)', 'v2', 'a value has no =; write Query(`key=value`)'],
    ['Query(`a={x}`, `b={x}`)', 'v2', "the name 'x' stands in two values"],
  ])('%s (%s)', (rule, syntax, message) => {
    expect(() => compileHttpRule(rule, syntax)).toThrow(
      expect.objectContaining({ code: 'config.rule', message: expect.stringContaining(message) }),
    );
  });
});

describe('compileTcpRule says what is wrong', () => {
  it.each([
    ['HostSNI(`a b`)', "HostSNI: 'a b' is no host name"],
    ['ALPN(`acme-tls/1`)', "'acme-tls/1' belongs to certificate challenges"],
    ['HostSNIRegexp(`ü`)', 'HostSNIRegexp takes ASCII only'],
  ])('%s', (rule, message) => {
    expect(() => compileTcpRule(rule)).toThrow(message);
  });
});

test('a failure names the first part of an && and all parts of an ||', () => {
  const view = createRoutingView(createRequest({ host: 'a.test', path: '/x' }));
  const failures = (rule: string): string[] => compileHttpRule(rule).failures(view);
  expect(failures('Host(`a.test`) && Path(`/x`)')).toEqual([]);
  expect(failures('Host(`a.test`) && Path(`/y`) && Method(`PUT`)')).toEqual(['Path(`/y`)']);
  expect(failures('Host(`b.test`) || (Path(`/x`) && Method(`PUT`))')).toEqual(['Host(`b.test`)', 'Method(`PUT`)']);
  expect(failures('!(Host(`b.test`) || Path(`/x`))')).toEqual(['!Path(`/x`)']);
});

test.each([
  ['Host(`a`)', 9],
  ['Path(`/é`)', 11],
  ['Path(`/😀`)', 13],
  ['Path(`/\ud800`)', 12],
])('the priority of %j is its length in UTF-8', (rule, priority) => {
  expect([rulePriority(rule), new TextEncoder().encode(rule).length]).toEqual([priority, priority]);
});

test.each([
  ['HostSNI(`*`)', -1],
  ['(!hostsni("*"))', -1],
  ['HostSNI(`*`) || HostSNI(`*`)', 28],
  ['HostSNI(`*`', 11],
  ['HostSNI(`a`)', 12],
])('the priority of the TCP rule %j', (rule, priority) => {
  expect(tcpRulePriority(rule)).toBe(priority);
});

test('domains are all hosts, whatever the syntax and the rest of the rule', () => {
  expect(ruleDomains('Host(`A.test`, `b.test`) && !Host(`Ü.test`) && PathRegexp(`(`) && Headers(`x`, `y`)')).toEqual([
    'a.test',
    'b.test',
    'ü.test',
  ]);
  expect(tcpRuleDomains('HostSNI(`A.test`) || HostSNIRegexp(`x`)')).toEqual(['a.test']);
  expect(compileHttpRule('Host(`A.test`) || Host(`*.b.test`)').domains).toEqual(['a.test', '*.b.test']);
  expect(() => ruleDomains('Host(`a`')).toThrow('expected , or )');
});

test('only our own routers may have the highest priorities', () => {
  expect(checkPriority(MAX_PRIORITY, 'file')).toBeUndefined();
  expect(checkPriority(MAX_PRIORITY + 1n, 'internal')).toBeUndefined();
  expect(checkPriority(MAX_PRIORITY + 1n, 'file')).toBe(
    'The priority 9223372036854774808 is higher than 9223372036854774807, the highest that may be configured',
  );
});

test('every syntax but v2 is v3', () => {
  expect(['v2', 'V2', 'v3', '', undefined, 'x'].map(ruleSyntax)).toEqual(['v2', 'v3', 'v3', 'v3', 'v3', 'v3']);
});
