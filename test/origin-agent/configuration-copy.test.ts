import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultsOf } from '../../src/base/decode.ts';
import { createLogger, type LogLine } from '../../src/base/log.ts';
import type { DynamicConfiguration } from '../../src/config/dynamic.ts';
import { canonicalJson } from '../../src/config/snapshot.ts';
import { configurationCopies } from '../../src/origin-agent/configuration-copy.ts';
import { PROVIDERS } from '../../src/providers/index.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

let folder: string;
let stateDirectory: string;
let clock: ManualClock;
let lines: LogLine[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgeway-copy-'));
  stateDirectory = join(folder, 'state');
  clock = createManualClock();
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE = { kind: 'redis', endpoints: ['10.0.0.5:6379'], rootKey: 'traefik' };
const open = (provider = 'redis', source: object = SOURCE, isRead = true, isWritten = () => true) => {
  const log = createLogger((line) => lines.push(line), 'DEBUG');
  return configurationCopies({ stateDirectory, isRead, isWritten, clock, log })(provider, source as Record<string, unknown>);
};
const file = (provider = 'redis'): string => join(stateDirectory, `provider-${provider}.json`);
const said = (rule: string): DynamicConfiguration => ({ http: { routers: { a: { rule, service: 's' } as never } } });
const ruleIn = (message: { configuration: DynamicConfiguration } | undefined) => message?.configuration.http?.routers?.a?.rule;

describe('the copy of what a provider said', () => {
  it('is read back by the next process, and by its owner alone', async () => {
    open().keep(said('one'));
    const at = clock.now();
    await clock.advance(0);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(stateDirectory).mode & 0o777).toBe(0o700);
    expect(readdirSync(stateDirectory)).toEqual(['provider-redis.json']);
    const read = open().read()!;
    expect(read.at).toBe(at);
    expect(ruleIn(read.message)).toBe('one');
    expect(lines).toEqual([]);
  });

  it('is not there before something is served', () => {
    const copy = open();
    expect(copy.read()).toBeUndefined();
    copy.close();
    expect(existsSync(stateDirectory)).toBe(false);
    expect(lines).toEqual([]);
  });

  it('is written at once, then every 10 s at most, with what was said last', async () => {
    const copy = open();
    copy.keep(said('one'));
    await clock.advance(0);
    for (const rule of ['two', 'three']) {
      await clock.advance(1_000);
      copy.keep(said(rule));
    }
    await clock.advance(7_999);
    expect(ruleIn(open().read()!.message)).toBe('one');
    await clock.advance(1);
    expect(ruleIn(open().read()!.message)).toBe('three');
    utimesSync(file(), 1, 1);
    await clock.advance(60_000);
    copy.close();
    expect(statSync(file()).mtimeMs).toBe(1_000);
  });

  it('is written at the end when there is something new', async () => {
    const copy = open();
    copy.keep(said('one'));
    await clock.advance(0);
    copy.keep(said('two'));
    copy.close();
    expect(ruleIn(open().read()!.message)).toBe('two');
    expect(clock.waiting).toBe(0);
  });

  it.each<[string, string, object]>([
    ['another server', 'redis', { ...SOURCE, endpoints: ['10.0.0.6:6379'] }],
    ['another root', 'redis', { ...SOURCE, rootKey: 'other' }],
    ['another provider', 'etcd', SOURCE],
  ])('is none of %s', async (_, provider, source) => {
    open().keep(said('one'));
    await clock.advance(0);
    expect(open(provider, source).read()).toBeUndefined();
    expect(lines).toEqual([]);
  });

  it('is not looked at where it shall not be', async () => {
    open().keep(said('one'));
    await clock.advance(0);
    expect(open('redis', SOURCE, false).read()).toBeUndefined();
  });

  it.each([
    ['empty', ''],
    ['cut', `${JSON.stringify({ source: canonicalJson(SOURCE), at: 1 })}\n{"http":{"middlewares":{"m":{"basicAuth":{"users":["planted-se`],
    ['something else', 'planted-secret'],
  ])('is told of and passed over when it is %s', (_, text) => {
    mkdirSync(stateDirectory);
    writeFileSync(file(), text, { mode: 0o644 });
    expect(open().read()).toBeUndefined();
    expect(lines).toMatchObject([
      {
        level: 'WARN',
        message: 'The copy of the configuration cannot be read',
        fields: { providerName: 'redis', file: file(), error: 'It is no valid JSON' },
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('planted');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it('of another version loses the objects that are unknown here', async () => {
    open().keep({ http: { routers: { ...said('one').http!.routers, b: { rule: 'x', service: 's' } as never } } });
    await clock.advance(0);
    writeFileSync(file(), readFileSync(file(), 'utf8').replace('"rule":"x"', '"rule":"x","fromTheFuture":true'));
    const { message } = open().read()!;
    expect(Object.keys(message.configuration.http!.routers!)).toEqual(['a']);
    expect(message.problems.map(({ place }) => place)).toEqual([{ source: file(), object: 'http.routers.b' }]);
  });

  it('is no fault when it cannot be written: it is told once, and tried again', async () => {
    writeFileSync(stateDirectory, '');
    const copy = open();
    copy.keep(said('one'));
    await clock.advance(0);
    copy.keep(said('two'));
    await clock.advance(10_000);
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['WARN', expect.stringContaining('set edge.stateDirectory to a folder that can be written')],
    ]);
    rmSync(stateDirectory);
    copy.close();
    expect(ruleIn(open().read()!.message)).toBe('two');
  });

  it('is left to a successor', async () => {
    let isWritten = true;
    const copy = open('redis', SOURCE, true, () => isWritten);
    copy.keep(said('one'));
    await clock.advance(0);
    isWritten = false;
    copy.keep(said('two'));
    copy.close();
    expect(ruleIn(open().read()!.message)).toBe('one');
  });

  it('stays in the state folder whatever the provider is called', async () => {
    open('consul-../x').keep(said('one'));
    await clock.advance(0);
    expect(readdirSync(stateDirectory)).toEqual(['provider-consul-..%2Fx.json']);
  });
});

describe('what tells a source from others', () => {
  const sourceOf = (kind: string, change: object = {}) => {
    const definition = PROVIDERS.find((one) => one.kind === kind)!;
    return definition.sourceOf?.({ ...(defaultsOf(definition.options) as object), ...change } as never);
  };

  it('is known for those that are read from elsewhere, and only for them: addresses of containers are old after a start', () => {
    const kinds = PROVIDERS.filter(({ sourceOf }) => sourceOf !== undefined).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['consul', 'etcd', 'http', 'redis', 'zooKeeper']);
  });

  it.each<[string, object]>([
    ['redis', { endpoints: ['x:1'] }],
    ['redis', { db: 3 }],
    ['redis', { sentinel: { masterName: 'other' } }],
    ['etcd', { rootKey: 'other' }],
    ['zooKeeper', { endpoints: ['x:1'] }],
    ['consul', { namespaces: ['team'] }],
    ['http', { endpoint: 'https://a.test/x' }],
    ['http', { endpoint: 'https://a.test/?stage=x' }],
    ['http', { headers: { host: 'b.test' } }],
  ])('%s: %j', (kind, change) => {
    expect(sourceOf(kind, change)).not.toEqual(sourceOf(kind));
  });

  it.each<[string, object, object]>([
    ['redis', {}, { username: 'planted', password: 'planted', tls: {}, sentinel: { password: 'planted' }, rootKey: '/traefik/' }],
    ['etcd', {}, { username: 'planted', password: 'planted' }],
    ['consul', {}, { token: 'planted', namespaces: [] }],
    ['http', { endpoint: 'https://a.test/x' }, { endpoint: 'https://planted:planted@a.test/x', headers: { Authorization: 'planted' } }],
  ])('%s: no credentials', (kind, before, change) => {
    expect(sourceOf(kind, change)).toEqual(sourceOf(kind, before));
  });

  it('shows nothing of a query, which may be a password', () => {
    expect(JSON.stringify(sourceOf('http', { endpoint: 'https://a.test/x?key=planted' }))).not.toContain('planted');
  });
});
