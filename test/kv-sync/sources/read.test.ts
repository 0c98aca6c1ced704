import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { readSource, type SourceMessage, type SourceSpec } from '../../../src/kv-sync/sources/read.ts';
import { realClock } from '../../support/provider.ts';
import { createBreakableStore } from '../../support/stores/breakable-store.ts';

let folder: string;
let stopping: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgeway-source-'));
  stopping = new AbortController();
});
afterEach(() => {
  stopping.abort();
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string): SourceSpec => {
  const path = join(folder, name);
  writeFileSync(`${path}.next`, text);
  renameSync(`${path}.next`, path);
  return { kind: 'path', path };
};
const read = (sources: SourceSpec[], { watch = false, allowForeign = true, clock = realClock } = {}) =>
  readSource({
    sources,
    configuration: undefined,
    allowForeign,
    context: { clock, log: silentLogger, signal: stopping.signal, environment: {}, root: 'traefik' },
    watch,
  });
const one = async (sources: SourceSpec[], options: object = {}): Promise<SourceMessage> => (await read(sources, options).next()).value!;
const routersOf = ({ configuration }: SourceMessage): string[] => Object.keys(configuration.http?.routers ?? {}).sort();
const ROUTER = (name: string): string =>
  `traefik/http/routers/${name}/rule,Host(\`${name}\`)\ntraefik/http/routers/${name}/service,api@internal\n`;
const YAML = (name: string, service = 'api@internal'): string =>
  `http: { routers: { ${name}: { rule: Host(\`${name}\`), service: ${service} } } }\n`;

describe('readSource', () => {
  it.each([
    ['lines of keys', 'a.csv', ROUTER('a')],
    ['lines of keys without an extension', 'keys', `# all\n${ROUTER('a')}`],
    ['keys as JSON', 'a.json', '{ "traefik/http/routers/a/rule": "Host(`a`)", "traefik/http/routers/a/service": "api@internal" }'],
    ['JSON of the file provider', 'a.json', JSON.stringify({ http: { routers: { a: { rule: 'Host(`a`)', service: 'api@internal' } } } })],
    ['YAML', 'a.yml', YAML('a')],
    ['YAML without an extension', 'a', YAML('a')],
    [
      'a template',
      'a.yaml',
      '{{ range $name := list "a" }}http: { routers: { {{ $name }}: { rule: Host(`a`), service: api@internal } } }{{ end }}',
    ],
    ['TOML', 'a.toml', '[http.routers.a]\nrule = "Host(`a`)"\nservice = "api@internal"\n'],
    ['a compose file', 'stack.yml', 'services: { x: { image: y, labels: { traefik.http.routers.a.rule: Host(`a`) } } }'],
  ])('reads %s', async (_, name, text) => {
    const message = await one([write(name, text)]);
    expect([message.problems, message.warnings, routersOf(message)]).toEqual([[], [], ['a']]);
  });

  it('reads all as one provider', async () => {
    const message = await one([
      write('a.csv', ROUTER('a')),
      write('b.yml', YAML('b', 'x@docker')),
      write(
        'stack.yml',
        'services: { x: { image: y, labels: { traefik.http.routers.x.rule: Host(`x`), traefik.http.routers.x.middlewares: m@file } } }',
      ),
      write('m.yml', 'http: { middlewares: { m: { stripPrefix: { prefixes: [/x] } } } }'),
    ]);
    expect([message.problems, routersOf(message)]).toEqual([[], ['a', 'b', 'x']]);
    expect(message.configuration.http!.routers).toMatchObject({ b: { service: 'x' }, x: { middlewares: ['m'] } });
    expect([...message.keys.keys()]).toEqual(['http.routers.a']);
  });

  it.each([
    [true, 'warnings'],
    [false, 'problems'],
  ] as const)('tells of objects of a provider that is not read; where that is allowed (%s) among its %s', async (allowForeign, kind) => {
    const message = await one([write('a.yml', YAML('a', 'x@docker'))], { allowForeign });
    expect(message[kind]).toMatchObject([{ message: expect.stringContaining("'x@docker'"), place: { object: 'http.routers.a@file' } }]);
  });

  it.each([
    ['that is not there', 'gone.csv', undefined, /cannot be read/],
    ['that is a static configuration', 'traefik.yml', 'entryPoints: { web: { address: ":80" } }', /static configuration/],
    ['of another kind', 'other.yml', 'a: { b: c }', /neither routers/],
    ['with keys of another root', 'a.csv', 'other/http/routers/a/rule,x', /does not begin with 'traefik\/'/],
  ])('tells of a file %s', async (_, name, text, message) => {
    const spec: SourceSpec = text === undefined ? { kind: 'path', path: join(folder, name) } : write(name, text);
    expect((await one([spec])).problems).toMatchObject([
      { message: expect.stringMatching(message), place: { source: join(folder, name) } },
    ]);
  });

  it('follows a file of keys, and keeps what it said while it is gone', async () => {
    const source = write('a.csv', ROUTER('a'));
    const messages = read([source], { watch: true });
    expect(routersOf((await messages.next()).value!)).toEqual(['a']);
    write('a.csv', ROUTER('b'));
    expect(routersOf((await messages.next()).value!)).toEqual(['b']);
    rmSync(join(folder, 'a.csv'));
    const gone = (await messages.next()).value!;
    expect([routersOf(gone), gone.problems.length]).toEqual([['b'], 1]);
    write('a.csv', ROUTER('c'));
    const back = (await messages.next()).value!;
    expect([routersOf(back), back.problems.length]).toEqual([['c'], 0]);
  });

  it('does not read a file that is being written in place', async () => {
    const rests: (() => void)[] = [];
    // The time that a file must rest is over when the test says so.
    const clock: Clock = {
      ...realClock,
      after(ms, callback) {
        if (ms !== 100) return realClock.after(ms, callback);
        rests.push(callback);
        return () => {};
      },
    };
    const messages = read([write('a.csv', ROUTER('a') + ROUTER('b'))], { watch: true, clock });
    await messages.next();
    const next = messages.next();
    writeFileSync(join(folder, 'a.csv'), ROUTER('c'));
    await vi.waitFor(() => expect(rests).toHaveLength(1));
    appendFileSync(join(folder, 'a.csv'), ROUTER('d'));
    rests[0]!();
    await vi.waitFor(() => expect(rests).toHaveLength(2));
    rests[1]!();
    expect(routersOf((await next).value!)).toEqual(['c', 'd']);
  });

  it('follows a store, and waits while a sync writes there', async () => {
    const store = createBreakableStore();
    store.set('traefik/http/routers/a/rule', 'Host(`a`)');
    store.set('traefik/http/routers/a/service', 'api@internal');
    const messages = read([{ kind: 'store', client: store.client, root: 'traefik' }], { watch: true });
    expect(routersOf((await messages.next()).value!)).toEqual(['a']);
    const next = messages.next();
    const mark = (state: string): void =>
      store.set('edgeway/traefik/revision', JSON.stringify({ revision: 1, state, hash: '', writer: 'x', at: 0 }));
    mark('writing');
    store.set('traefik/http/routers/b/rule', 'Host(`b`)');
    store.set('traefik/http/routers/b/service', 'api@internal');
    await new Promise((resolve) => setImmediate(resolve));
    mark('written');
    expect(routersOf((await next).value!)).toEqual(['a', 'b']);
  });

  it('does not read a store once that is being written', async () => {
    const store = createBreakableStore();
    store.set('edgeway/traefik/revision', JSON.stringify({ revision: 1, state: 'writing', hash: '', writer: 'x', at: 0 }));
    expect((await one([{ kind: 'store', client: store.client, root: 'traefik' }])).problems).toMatchObject([{ code: 'config.io' }]);
  });
});
