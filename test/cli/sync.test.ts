import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/sync.ts';
import { runCommand } from '../support/command.ts';
import { findServer, type RunningServer, startRedis } from '../support/servers.ts';

const KEYS = `# the blog
traefik/http/routers/blog/rule,Host(\`blog.test\`)
traefik/http/routers/blog/service,blog
traefik/http/services/blog/loadBalancer/servers/0/url,http://blog
`;

describe('usage of sync', () => {
  it.each([
    ['no source', [], 'name at least one source'],
    ['no target', ['a.csv'], 'name a target'],
    ['a store alone', ['redis://x'], 'name a target besides the source redis://x'],
    ['two targets', ['a.csv', '--to', 'edge', '--to-file', 'x'], 'there are two targets'],
    ['a misspelled store', ['a.csv', 'reddis://u:secret@x'], "'reddis://***@x' is no store"],
    ['a file as target', ['a.csv', '--to', 'b.csv'], 'a file is named with --to-file'],
    ['a bad time', ['a.csv', 'redis://x', '--wait', 'soon'], "--wait wants a time as 30s or 2m, not 'soon'"],
    ['a bad name', ['a.csv', 'redis://x', '--name', 'a/b'], '--name has letters'],
    ['standard input to watch', ['-', 'redis://x', '--watch'], 'standard input cannot be watched'],
    ['an unknown option', ['a.csv', '--nope'], "Unknown option '--nope'"],
    ['a bad option of the store', ['a.csv', 'redis://x?dbb=1'], 'dbb'],
    ['export without a store', ['export'], 'name one store'],
    ['export in a format that is none', ['export', 'redis://x', '--format', 'xml'], "there is no format 'xml'"],
    ['status of two stores', ['status', 'redis://x', 'redis://y'], 'name one store'],
  ])('refuses %s', async (_, args, message) => {
    const { status, stderr } = await runCommand(run, args, { 'a.csv': KEYS });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('secret');
    expect(status).toBe(2);
  });

  it.each([[['--help']], [['export', '--help']], [['status', '--help']]])('helps: %j', async (args) => {
    const { status, stdout } = await runCommand(run, args);
    expect([status, stdout]).toEqual([0, expect.stringContaining('Usage: edgeway sync')]);
  });
});

describe('sync to a file', () => {
  const FILES = { 'a.csv': KEYS, 'more/b.yml': 'http: { routers: { b: { rule: Host(`b`), service: blog } } }\n' };

  it('tells by its exit code that there is something to do, and does it', async () => {
    const dry = await runCommand(run, ['a.csv', 'more', '--to-file', 'out.csv', '--detailed-exit-code'], FILES);
    expect(dry.status).toBe(3);
    expect(dry.stdout).toContain('3 to add, 0 to change, 0 to remove.');
    const { status, folder } = await runCommand(run, ['a.csv', 'more', '--to-file', 'out.csv', '--apply', '--detailed-exit-code'], FILES);
    expect(status).toBe(0);
    expect(readFileSync(join(folder, 'out.csv'), 'utf8').split('\n')).toContain('traefik/http/routers/b/service,blog');
  });

  it('reads standard input and a compose file', async () => {
    const compose = 'services: { shop: { image: x, labels: ["traefik.http.routers.shop.rule=Host(`shop.test`)"] } }\n';
    const { stdout, status } = await runCommand(
      run,
      ['-', 'stack.yml', '--to-file', 'o', '--root', 'traefik'],
      { 'stack.yml': compose },
      KEYS,
    );
    expect(stdout).toContain('+ http.routers.shop  Host(`shop.test`) → shop\n');
    expect(stdout).toContain('+ http.services.shop  http://shop:80\n');
    expect(stdout).toContain('+ http.routers.blog');
    expect(status).toBe(0);
  });

  it('names file and line of what is wrong', async () => {
    const { stderr, status } = await runCommand(run, ['a.csv', '--to-file', 'o', '--apply'], { 'a.csv': `${KEYS}nonsense\n` });
    expect(stderr).toMatch(/a\.csv:5: 'nonsense' has no value/);
    expect(status).toBe(1);
  });
});

const redisPath = findServer('redis-server');

describe.skipIf(redisPath === undefined)('sync with a Redis (redis-server)', () => {
  let server: RunningServer;
  let redis: Redis;
  let url: string;
  beforeAll(async () => {
    server = await startRedis(redisPath!);
    redis = new Redis(server.port);
    url = `redis://127.0.0.1:${server.port}/2`;
    await redis.select(2);
  });
  beforeEach(async () => void (await redis.flushall()));
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  const files = { 'a.csv': KEYS };

  it('writes a file of keys, and says so', async () => {
    const plan = await runCommand(run, ['a.csv', url], files);
    expect([plan.status, await redis.dbsize()]).toEqual([0, 0]);
    const { status, stdout, stderr } = await runCommand(run, ['a.csv', url, '--apply'], files);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('keys changed');
    expect(await redis.get('traefik/http/routers/blog/rule')).toBe('Host(`blog.test`)');
    expect((await runCommand(run, ['a.csv', url, '--apply', '--detailed-exit-code'], files)).stdout).toBe('Nothing to do.\n');
  });

  it('copies one root of a store to another', async () => {
    await redis.set('other/http/routers/x/rule', 'Host(`x`)');
    await redis.set('other/http/routers/x/service', 'api@internal');
    const { status } = await runCommand(run, [`${url}?rootKey=other`, '--root', 'other', `${url}?rootKey=copy`, '--apply'], {});
    expect(status).toBe(0);
    expect(await redis.get('copy/http/routers/x/rule')).toBe('Host(`x`)');
  });

  it.each([
    ['keys', 'out.csv', 'traefik/http/routers/blog/rule,Host(`blog.test`)\n'],
    ['yaml', 'out.yml', 'rule: Host(`blog.test`)'],
    ['toml', 'out.toml', '[http.routers.blog]'],
    ['json', 'out.json', '"rule": "Host(`blog.test`)"'],
  ])('exports as %s what it reads as the same', async (_, name, part) => {
    await runCommand(run, ['a.csv', url, '--apply'], files);
    const { status, folder } = await runCommand(run, ['export', url, '--to', name]);
    const text = readFileSync(join(folder, name), 'utf8');
    expect([status, text]).toEqual([0, expect.stringContaining(part)]);
    const again = await runCommand(run, [name, '--to-file', 'again.csv', '--apply'], { [name]: text });
    expect(again.status).toBe(0);
    expect(readFileSync(join(again.folder, 'again.csv'), 'utf8')).toContain(
      'traefik/http/services/blog/loadBalancer/servers/0/url,http://blog\n',
    );
  });

  it('exports to a folder and to standard output', async () => {
    await runCommand(run, ['a.csv', url, '--apply'], files);
    const { folder } = await runCommand(run, ['export', url, '--to', 'out/']);
    expect(readFileSync(join(folder, 'out/http.yml'), 'utf8')).toContain('routers:');
    expect((await runCommand(run, ['export', url])).stdout).toContain('routers:');
  });

  it('says who wrote what when, and what the agents run', async () => {
    expect((await runCommand(run, ['status', url])).stdout).toContain("No 'edgeway sync' has written here.");
    await runCommand(run, ['a.csv', url, '--apply', '--name', 'ci'], files);
    await redis.set('edgeway/traefik/nodes/one', JSON.stringify({ node: 'one', revision: 1, hash: 'x', at: Date.now(), version: '1.2.3' }));
    await redis.set('edgeway/traefik/nodes/two', JSON.stringify({ node: 'two', revision: 0, hash: 'x', at: Date.now() }));
    const { stdout, status } = await runCommand(run, ['status', url, '--detailed-exit-code']);
    expect(stdout).toMatch(
      /3 keys below traefik\/\nRevision 1 written: by ci, \d s ago\n {2}one {2}revision 1 {2}told \d s ago {2}1\.2\.3\n {2}two {2}revision 0 {2}not 1/,
    );
    expect(status).toBe(3);
    await redis.del('edgeway/traefik/nodes/two');
    expect((await runCommand(run, ['status', url, '--detailed-exit-code'])).status).toBe(0);
    await redis.set('traefik/x', 'y');
    expect((await runCommand(run, ['status', url])).stdout).toContain('Somebody else has changed keys since.');
  });

  it('says that a store is away', async () => {
    const { status, stderr } = await runCommand(run, ['a.csv', 'redis://127.0.0.1:1', '--apply'], files);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^edgeway: .*127\.0\.0\.1:1/);
  });
});
