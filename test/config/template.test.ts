import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../scripts/fuzz/templates.ts';
import { ConfigError, describe as print } from '../../src/base/errors.ts';
import { compileTemplate, REFUSED_TEMPLATE_FUNCTIONS, TEMPLATE_FUNCTIONS } from '../../src/config/template.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const cases = JSON.parse(read('../vectors/templates/templates.json')) as { template: string; text?: string; refused?: true }[];
const failure = (template: string): string => {
  try {
    compileTemplate(template, 'x.yml')(false);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return print(error);
  }
  return 'nothing';
};

describe('compileTemplate', () => {
  it.each(cases.filter(({ text }) => text !== undefined).map(({ template, text }) => [template, text]))('%j', (template, text) =>
    expect(compileTemplate(template!)(false, { FOO: 'bar' })).toBe(text),
  );

  it.each(cases.filter(({ refused }) => refused).map(({ template }) => template))('refuses %j', (template) => {
    expect(failure(template)).not.toBe('nothing');
  });

  it.each([
    ['a\n{{ uper "x" }}', "x.yml:2: The template is wrong: There is no function 'uper'; did you mean 'upper'?"],
    ['{{ now }}', "x.yml:1: The template is wrong: The function 'now' is refused: it depends on the time of reading"],
    ['{{ $x }}', 'x.yml:1: The template is wrong: The variable $x is not defined; write $x := … before'],
    ['\n\n{{ upper 5 }}', 'x.yml:3: The template is wrong: upper wants a text as value 1, not int'],
    ['{{ fail "no host" }}', 'x.yml:1: The template is wrong: fail: no host'],
    ['{{ if true }}', 'x.yml:1: The template is wrong: A block has no end; write {{ end }}'],
    ['{{ template "t" }}', `x.yml:1: The template is wrong: There is no template 't'; write {{ define "t" }}`],
  ])('says what is wrong with %j', (template, message) => expect(failure(template)).toBe(message));

  it.each([
    ['{{ range until 1000000000 }}{{ end }}'],
    ['{{ range 1000000000 }}{{ end }}'],
    ['{{ repeat 1000000000 "x" }}'],
    ['{{ $x := "x" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}'],
    ['{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}'],
    ['{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ toJson $x }}'],
    ['{{ define "t" }}{{ template "t" }}{{ template "t" }}{{ end }}{{ template "t" }}'],
    [`${'{{ if 1 }}'.repeat(10_000)}`],
    [`{{ ${'('.repeat(100_000)}`],
  ])('is bounded: %j', (template) => {
    expect(() => compileTemplate(template)(false)).toThrow(/more than|no end/);
  });

  it('fills in the data of a default rule', () => {
    const data = { Name: 'shop_1', ContainerName: 'c', Labels: { 'com.docker.compose.service': 'web' } };
    const render = (text: string): string => compileTemplate(text)(data);
    expect(render('Host(`{{ normalize .Name }}.test`)')).toBe('Host(`shop-1.test`)');
    expect(render('{{ index .Labels "com.docker.compose.service" }}-{{ index .Labels "nope" }}')).toBe('web-');
    expect(render('{{ if .Labels.nope }}a{{ else }}b{{ end }}')).toBe('b');
    expect(() => render('{{ .Nope }}')).toThrow('There is no field .Nope in struct; known are Name, ContainerName, Labels');
  });

  it('holds for anything', async () => expect(await fuzz(1_000)).toBeUndefined());
});

describe('docs/templates.md', () => {
  const words = new Set([...read('../../docs/templates.md').matchAll(/`(\w+)`/g)].map((match) => match[1]!));
  it('names every function', () => expect([...TEMPLATE_FUNCTIONS.keys()].filter((name) => !words.has(name))).toEqual([]));
  it('names every refused function', () => expect(Object.keys(REFUSED_TEMPLATE_FUNCTIONS).filter((name) => !words.has(name))).toEqual([]));
});
