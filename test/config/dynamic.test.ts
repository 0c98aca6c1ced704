import { describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import type { Schema } from '../../src/base/schema.ts';
import { dynamicConfiguration, middleware, tcpMiddleware } from '../../src/config/dynamic.ts';
import { HTTP_MIDDLEWARES, TCP_MIDDLEWARES } from '../../src/middlewares/index.ts';

/** Every option with its path. */
function* options(schema: Schema, path = ''): Iterable<[path: string, schema: Schema]> {
  for (const [name, field] of Object.entries(schema.fields ?? {})) {
    yield [`${path}.${name}`, field];
    yield* options(field, `${path}.${name}`);
  }
  if (schema.items !== undefined) yield* options(schema.items, `${path}[]`);
}

describe('dynamicConfiguration', () => {
  it('says of every option what it is for', () => {
    const silent = [...options(dynamicConfiguration)].filter(([, { summary }]) => !/^\S.*/.test(summary)).map(([path]) => path);
    expect(silent).toEqual([]);
  });

  it('tells no two options apart by letter case only', () => {
    for (const [path, { fields }] of options(dynamicConfiguration)) {
      const names = Object.keys(fields ?? {}).map((name) => name.toLowerCase());
      expect(new Set(names).size, path).toBe(names.length);
    }
  });

  it('marks every private key and password secret', () => {
    const open = [...options(dynamicConfiguration)]
      .filter(([path, { secret }]) => /\.(keyFile|key|password|users)$/.test(path) && !secret)
      .map(([path]) => path);
    expect(open).toEqual([]);
  });

  it('has every word of the catalogues', () => {
    expect(Object.keys(middleware.fields!)).toEqual(Object.values(HTTP_MIDDLEWARES).map(({ kind }) => kind));
    expect(Object.keys(tcpMiddleware.fields!)).toEqual(Object.keys(TCP_MIDDLEWARES));
  });

  it('keeps every sound object, list entry and section', () => {
    const { value, problems } = decode(dynamicConfiguration, {
      http: { routers: { a: { rule: 'x' }, b: { ruel: 'x' } }, services: 5, nope: {} },
      tcp: {},
      tls: { certificates: [{ certFile: 'c' }, { nope: 'x' }], options: { a: {}, b: { sniStrict: 'x' } } },
    });
    expect(value).toMatchObject({
      http: { routers: { a: { rule: 'x' } } },
      tls: { certificates: [{ certFile: 'c' }], options: { a: {} } },
    });
    expect(Object.keys(value?.tls?.options ?? {})).toEqual(['a']);
    expect(problems.map(({ path }) => path.join('.'))).toEqual([
      'http.routers.b.ruel',
      'http.services',
      'http.nope',
      'tcp',
      'tls.certificates.1.nope',
      'tls.options.b.sniStrict',
    ]);
  });
});
