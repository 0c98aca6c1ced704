import { describe, expect, it } from 'vitest';
import { cleanPath, decodePath, hasMalformedEscape, normalizePath, routingPath } from '../../src/base/path.ts';

describe('normalizePath', () => {
  it.each([
    ['/a-b.c_d~e', '/a-b.c_d~e'],
    ['/%61%2d%2E%5f%7E%41%39', '/a-._~A9'],
    ['/%2f%c3%a9%20', '/%2F%C3%A9%20'],
    ['/%252e', '/%252e'],
    ["/:@!$&'()*+,;=[]", "/:@!$&'()*+,;=[]"],
    ['/a|b"<>\\^`{}', '/a%7Cb%22%3C%3E%5C%5E%60%7B%7D'],
    ['/\xc3\xa9\xff', '/%C3%A9%FF'],
    ['/é中😀', '/%E9%E4%B8%AD%F0%9F%98%80'],
    ['/public/|%2F..%2F..%2Fadmin', '/public/%7C%2F..%2F..%2Fadmin'],
    ['*', '*'],
  ])('%j becomes %j', (path, normal) => {
    expect(normalizePath(path)).toBe(normal);
  });
});

describe('cleanPath', () => {
  it.each([
    ['/', '/'],
    ['', '/'],
    ['/a/b', '/a/b'],
    ['/a//b///c', '/a/b/c'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../../a', '/a'],
    ['/a/b/..', '/a'],
    ['/a/b/../', '/a/'],
    ['/a/.', '/a'],
    ['/a/./', '/a/'],
    ['/..', '/'],
    ['//', '/'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a%2F..', '/a%2F..'],
    ['/...', '/...'],
    ['*', '*'],
    ['a/b', '/a/b'],
  ])('%j becomes %j', (path, clean) => {
    expect(cleanPath(path)).toBe(clean);
  });
});

describe('routingPath', () => {
  it.each([
    ['/a b', '/a b'],
    ['/a%20b%3C%00', '/a b<\0'],
    ['/%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25', '/%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25'],
    ['/%2f', '/%2F'],
    ['/%C3%A9%FF', '/\xc3\xa9\xff'],
  ])('%j becomes %j', (path, routed) => {
    expect(routingPath(path)).toBe(routed);
  });
});

describe('decodePath', () => {
  it.each([
    ['/a%2Fb%20', '/a/b '],
    ['/caf%C3%A9', '/café'],
    ['/caf\xc3\xa9', '/café'],
    ['/%F0%9F%98%80', '/😀'],
    ['/%FFx%C3', '/\ufffdx\ufffd'],
    ['/%ED%A0%80', '/\ufffd\ufffd\ufffd'],
    ['/%zz%4', '/%zz%4'],
    ['/中%20', '/中 '],
  ])('%j becomes %j', (path, decoded) => {
    expect(decodePath(path)).toBe(decoded);
  });
});

describe('hasMalformedEscape', () => {
  it.each([
    ['/a', false],
    ['/%41%4f', false],
    ['/%', true],
    ['/%4', true],
    ['/%4g', true],
    ['/%41%', true],
    ['/%%41', true],
  ])('%j: %s', (path, malformed) => {
    expect(hasMalformedEscape(path)).toBe(malformed);
  });
});
