import { expect, it } from 'vitest';
import { escapePath, escapeProblem, escapeQuery, formatUrl, type GoUrl, parseUrl, resolveUrl, wirePath } from '../../src/base/url.ts';

const BASE = parseUrl('http://au.test:81/a/b?x=1#f') as GoUrl;

// What Go 1.26 makes of each: the text of the URL, and of the URL seen from BASE.
it.each([
  ['http://a.test/x', 'http://a.test/x', 'http://a.test/x'],
  ['http://a.test', 'http://a.test', 'http://a.test'],
  ['http://a.test/?', 'http://a.test/?', 'http://a.test/?'],
  ['HTTP://A.test/%7e', 'http://A.test/%7e', 'http://A.test/%7e'],
  ['/signin?x=1', '/signin?x=1', 'http://au.test:81/signin?x=1'],
  ['x/y', 'x/y', 'http://au.test:81/a/x/y'],
  ['../../z', '../../z', 'http://au.test:81/z'],
  ['./', './', 'http://au.test:81/a/'],
  ['?q', '?q', 'http://au.test:81/a/b?q'],
  ['#frag', '#frag', 'http://au.test:81/a/b?x=1#frag'],
  ['//other.test/p', '//other.test/p', 'http://other.test/p'],
  ['https://idp.test/x y', 'https://idp.test/x%20y', 'https://idp.test/x%20y'],
  ['https://[::1]:8080/p', 'https://[::1]:8080/p', 'https://[::1]:8080/p'],
  ['mailto:bob@x.test', 'mailto:bob@x.test', 'mailto:bob@x.test'],
  ['a:b', 'a:b', 'a:b'],
  ['/a:b', '/a:b', 'http://au.test:81/a:b'],
  ['http://u:p@h/', 'http://u:p@h/', 'http://u:p@h/'],
  ['http://h/a%2Fb c', 'http://h/a/b%20c', 'http://h/a/b%20c'],
  ['http://h/a[b]', 'http://h/a[b]', 'http://h/a[b]'],
  ['http://h/ä?ö=ü#ß', 'http://h/%C3%A4?ö=ü#%C3%9F', 'http://h/%C3%A4?ö=ü#%C3%9F'],
  ['///x', '///x', 'http://au.test:81///x'],
  ['http:///x', 'http:///x', 'http:///x'],
  ['file:///x', 'file:///x', 'file:///x'],
  ['http://h?x', 'http://h?x', 'http://h?x'],
  ['http://h#a b', 'http://h#a%20b', 'http://h#a%20b'],
  ['http://h/a/../b/./c', 'http://h/a/../b/./c', 'http://h/b/c'],
  ['/a/../b', '/a/../b', 'http://au.test:81/b'],
  ['http:', 'http:', 'http:'],
  ['https://new.test//x', 'https://new.test//x', 'https://new.test//x'],
  ['/relative|x', '/relative%7Cx', 'http://au.test:81/relative%7Cx'],
  ['http://[::1%25en0]/x', 'http://[::1%25en0]/x', 'http://[::1%25en0]/x'],
  ['http://h:/x', 'http://h:/x', 'http://h:/x'],
])('%s is written %s and resolves to %s', (text, written, resolved) => {
  const url = parseUrl(text) as GoUrl;
  expect(formatUrl(url)).toBe(written);
  expect(formatUrl(resolveUrl(BASE, url))).toBe(resolved);
});

it.each([
  ['http://::1/rs6', 'invalid port "::1" after host'],
  ['http://::1:80/rs6', 'invalid port "::1:80" after host'],
  ['http://x:abc/', 'invalid port ":abc" after host'],
  [':bad', 'missing protocol scheme'],
  ['::bad', 'missing protocol scheme'],
  ['1a:b', 'first path segment in URL cannot contain colon'],
  ['http://u ser@h/', 'net/url: invalid userinfo'],
  ['http://h/%zz', 'invalid URL escape "%zz"'],
  ['http://h/%', 'invalid URL escape "%"'],
  ['http://h\\x/', 'invalid character "\\\\" in host name'],
  ['http://ho st/', 'invalid character " " in host name'],
  ['http://[fe80::zz]/', 'invalid host'],
  ['http://[1.2.3.4]/', 'invalid host'],
  ['http://h:80:90/', 'invalid port ":80:90" after host'],
])('%s is refused: %s', (text, problem) => {
  expect(parseUrl(text)).toBe(problem);
});

it.each([
  ['/a b', '/a%20b'],
  ['/a%2Fb', '/a%2Fb'],
  ['/a%2fb', '/a%2fb'],
  ['/a%2Fb?', '/a/b%3F'],
  ['/é%C3%a9%ff|', '/%C3%A9%C3%A9%FF%7C'],
  ["/[x]!'()*", "/[x]!'()*"],
])('%s goes over the wire as %s', (path, expected) => {
  expect(wirePath(path)).toBe(expected);
});

it.each([
  ['/a%2Fb', undefined],
  ['/%', 'invalid URL escape "%"'],
  ['/%zz1', 'invalid URL escape "%zz"'],
  ['/%2', 'invalid URL escape "%2"'],
])('the escapes of %s: %s', (text, problem) => {
  expect(escapeProblem(text)).toBe(problem);
});

it('escapes paths and queries', () => {
  expect(escapePath("/a b%?#[]!'()*é&=+:@,;$~")).toBe('/a%20b%25%3F%23%5B%5D%21%27%28%29%2A%C3%A9&=+:@,;$~');
  expect(escapeQuery('http://h:1/a b?c=d&é')).toBe('http%3A%2F%2Fh%3A1%2Fa+b%3Fc%3Dd%26%C3%A9');
});
