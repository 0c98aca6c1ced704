import { describe, expect, it, test } from 'vitest';
import { MAX_RULE_LENGTH } from '../../../src/config/rule/lexer.ts';
import { matchesOf, type RuleTree } from '../../../src/config/rule/parser.ts';
import { parseHttpRule, parseTcpRule } from '../../../src/config/rule/rule.ts';

/** The tree as text, each call in braces. */
function show(tree: RuleTree): string {
  if (tree.kind === 'match') return `${tree.negated ? '!' : ''}${tree.matcher}{${tree.values.join('|')}}`;
  return `(${tree.children.map(show).join(` ${tree.kind} `)})`;
}

describe('parseHttpRule', () => {
  it.each([
    ['Host(`a`)', 'Host{a}'],
    ['Host(`a`) && Path(`/b`) || Method(`GET`)', '((Host{a} and Path{/b}) or Method{GET})'],
    ['Host(`a`) || Host(`b`) || Host(`c`)', '(Host{a} or Host{b} or Host{c})'],
    ['!Host(`a`) && Path(`/b`)', '(!Host{a} and Path{/b})'],
    ['!(Host(`a`) && (Path(`/b`) || !Method(`GET`)))', '(!Host{a} or (!Path{/b} and Method{GET}))'],
    ['!!Host(`a`)', 'Host{a}'],
    ['host(`a`) && PATHPREFIX(`/b`) && Clientip(`::1`)', '(Host{a} and PathPrefix{/b} and ClientIP{::1})'],
    ['Host("a\\x2d\\u00fc\\U0001F600\\101\\n\\"")', 'Host{a-ü😀A\n"}'],
    ['Host("\\xff")', 'Host{\udcff}'],
    ['Host(`a\rb`)', 'Host{ab}'],
    ['Header(\n`A`,\n`b`,\n) // done', 'Header{A|b}'],
    ['Host(`a`...)', 'Host{a}'],
    ['\ufeff/* x */ Host(`a`) &&\n Path(`/`)\n', '(Host{a} and Path{/})'],
    ['Path()', 'Path{}'],
  ])('reads %j', (rule, tree) => {
    expect(show(parseHttpRule(rule, 'v3'))).toBe(tree);
  });

  it.each([
    ['', 'Rule "", column 1: the rule is empty; write a matcher, as PathPrefix(`/`)'],
    ['Host(`a`', 'Rule "Host(`a`", column 9: expected , or ), found the end of the rule'],
    [
      'Host(`a`) and Path(`/`)',
      'Rule "Host(`a`) and Path(`/`)", column 11: expected &&, || or the end of the rule, found \'and\'; write &&',
    ],
    ['Host(`a`) & Path(`/`)', 'Rule "Host(`a`) & Path(`/`)", column 11: expected &&, || or the end of the rule, found \'&\'; write &&'],
    [
      "Host('a')",
      "Rule \"Host('a')\", column 6: expected a text in back-ticks or double quotes, found '''; texts stand in back-ticks or double quotes",
    ],
    ['Host(a.test)', 'Rule "Host(a.test)", column 6: expected a text in back-ticks or double quotes, found \'a\''],
    ['Host(1.5)', 'Rule "Host(1.5)", column 6: expected a text in back-ticks or double quotes, found \'1.5\''],
    [
      'Host(`a`) && pathPrefix(`/`)',
      'Rule "Host(`a`) && pathPrefix(`/`)", column 14: no matcher is spelled \'pathPrefix\'; write PathPrefix',
    ],
    ['Hots(`a`)', 'Rule "Hots(`a`)", column 1: unknown matcher \'Hots\'; did you mean Host?'],
    ['true', 'Rule "true", column 1: \'true\' is no matcher; operators are &&, || and !'],
    ['Headers(`A`, `b`)', 'Rule "Headers(`A`, `b`)", column 1: unknown matcher \'Headers\'; in v3 it is Header(`name`, `value`)'],
    ['HostSNI(`a`)', 'Rule "HostSNI(`a`)", column 1: unknown matcher \'HostSNI\'; HostSNI is for TCP routers; write Host'],
    [
      'Host(`a`)\n&& Path(`/`)',
      'Rule "Host(`a`) && Path(`/`)", line 2, column 1: a newline before && ends the rule; write && at the end of the line above',
    ],
    ['Host(`a`) ||\n', 'Rule "Host(`a`) || ", line 2, column 1: expected a matcher, ! or (, found the end of the rule'],
    ['Host(`a)', 'Rule "Host(`a)", column 6: the text has no end; write a back-tick'],
    ['Host("a)', 'Rule "Host("a)", column 6: the text has no end on its line; write a double quote'],
    ['PathRegexp("\\d")', 'Rule "PathRegexp("\\d")", column 13: \\d is no escape between double quotes; write the text in back-ticks'],
    ['Host(`a`) /* x', 'Rule "Host(`a`) /* x", column 11: the comment has no end; write */'],
    ['Host(`a`)\0', 'Rule "Host(`a`) ", column 10: NUL and byte order marks may not stand in a rule'],
    [
      'Host(`a`) # x',
      'Rule "Host(`a`) # x", column 11: expected &&, || or the end of the rule, found \'#\'; comments are written // or /* */',
    ],
    ['Host(`a`);', 'Rule "Host(`a`);", column 10: expected &&, || or the end of the rule, found \';\'; leave it out'],
    [`Host(\`${'a'.repeat(100)}\`) x`, `Rule "…${'a'.repeat(27)}\`) x", column 110: expected &&, || or the end of the rule, found 'x'`],
  ])('refuses %j', (rule, message) => {
    expect(() => parseHttpRule(rule, 'v3')).toThrow(expect.objectContaining({ name: 'ConfigError', code: 'config.rule', message }));
  });

  it.each([
    ['PathRegexp(`a`)', 'in v2 write Path(`/{name:expression}`), or use v3'],
    ['Header(`a`, `b`)', 'in v2 it is Headers(`name`, `value`)'],
  ])('tells what v2 has instead of %s', (rule, advice) => {
    expect(() => parseHttpRule(rule, 'v2')).toThrow(advice);
  });
});

test('parseTcpRule tells what HTTP matchers are in TCP', () => {
  expect(() => parseTcpRule('Host(`a`)', 'v3')).toThrow('Host is for HTTP routers; write HostSNI');
  expect(() => parseTcpRule('Path(`/`)', 'v2')).toThrow('Path is for HTTP routers');
});

test('a match knows where it stands in the rule', () => {
  const rule = 'Host(`a`) && !Path( `/b` )';
  const texts = Array.from(matchesOf(parseHttpRule(rule, 'v3')), ({ start, end }) => rule.slice(start, end));
  expect(texts).toEqual(['Host(`a`)', 'Path( `/b` )']);
});

describe('a hostile rule ends with an error, in linear time', () => {
  const size = MAX_RULE_LENGTH;
  it.each<[string, string, string]>([
    ['more than the limit', `Host(\`${'a'.repeat(1024 * 1024)}\`)`, 'config.limit'],
    ['nested parentheses', '('.repeat(size), 'config.rule'],
    ['nested negations', '!('.repeat(size / 2), 'config.rule'],
    ['negations without end', '!'.repeat(size), 'config.rule'],
    ['comments without end', '/**/'.repeat(size / 4), 'config.rule'],
    ['comments after a call', `Host(\`a\`)${'/**/'.repeat(size / 4 - 10)}x`, 'config.rule'],
    ['newlines', `Host(\`a\`) ||${'\n'.repeat(size - 20)}`, 'config.rule'],
    ['calls that are cut off', 'Host(`a`)&&'.repeat(size / 11), 'config.rule'],
    ['escapes', `Host("${'\\x41'.repeat(size / 4 - 4)}`, 'config.rule'],
    ['a long unknown name', 'H'.repeat(size), 'config.rule'],
  ])('%s', (_, rule, code) => {
    const start = performance.now();
    expect(() => parseHttpRule(rule, 'v3')).toThrow(expect.objectContaining({ code }));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
