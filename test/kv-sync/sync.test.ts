import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import type { Plan } from '../../src/kv-sync/plan.ts';
import { readSource } from '../../src/kv-sync/sources/read.ts';
import { sync } from '../../src/kv-sync/sync.ts';
import type { Target } from '../../src/kv-sync/targets/target.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';

let folder: string;
let stopping: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgeway-sync-'));
  stopping = new AbortController();
});
afterEach(() => {
  stopping.abort();
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const router = (name: string, rule = `Host(\`${name}.test\`)`): string =>
  `http: { routers: { ${name}: { rule: "${rule}", service: s@file } } }\n`;
const SERVICE = 'http: { services: { s: { loadBalancer: { servers: [{ url: "https://s.example.com" }] } } } }\n';

const source = (paths: string[], watch = false) =>
  readSource({
    sources: paths.map((path) => ({ kind: 'path', path })),
    allowForeign: false,
    configuration: loadStatic({ arguments: ['--entryPoints.web.address=:80'], environment: {}, readFile: () => undefined }).configuration!,
    context: { clock: systemClock, log: silentLogger, signal: stopping.signal, environment: {}, root: 'traefik' },
    watch,
  });

/** A store that keeps rules of routers by name. */
function memoryTarget() {
  const plans: Plan[] = [];
  let entries: ReadonlyMap<string, unknown> = new Map();
  let waiting = (): void => {};
  const target: Target = {
    name: 'memory',
    prepare: async () => {},
    translate: async ({ runtime: { http } }) => ({
      entries: new Map(
        Object.entries(http.routers)
          .filter(([, { status }]) => status !== 'disabled')
          .map(([name, { config }]) => [name, config.rule]),
      ),
      notes: [],
    }),
    read: async () => ({ entries }),
    meaning: (_, value) => String(value),
    apply: async (plan) => {
      plans.push(plan);
      entries = plan.result;
      waiting();
      return ['applied'];
    },
  };
  return {
    target,
    plans,
    entries: () => Object.fromEntries(entries),
    /** Resolves with the number of plans that were carried out. */
    async applied(count: number): Promise<void> {
      while (plans.length < count) await new Promise<void>((resolve) => (waiting = resolve));
    },
  };
}
const run = (memory: ReturnType<typeof memoryTarget>, messages: ReturnType<typeof source>, options: object = {}) => {
  const said: string[] = [];
  const complaints: string[] = [];
  const done = sync({
    source: messages,
    target: memory.target,
    apply: true,
    prune: true,
    keepGoing: false,
    say: (text) => said.push(text),
    complain: (text) => complaints.push(text),
    ...options,
  });
  return { done, said, complaints };
};

describe('readSource', () => {
  it('reads files and directories as one', async () => {
    mkdirSync(join(folder, 'more'));
    const paths = [
      write('a.yml', router('a')),
      write('s.toml', '[http.services.s.loadBalancer]\n[[http.services.s.loadBalancer.servers]]\nurl = "https://s.example.com"\n'),
    ];
    write('more/b.yml', router('b'));
    write('more/c.yml', router('c'));
    const { value } = await source([...paths, join(folder, 'more')]).next();
    expect(Object.keys(value!.runtime.http.routers).sort()).toEqual(['a@file', 'b@file', 'c@file']);
    expect(value!.problems).toEqual([]);
  });

  it('refuses an object that two files have, and keeps the first', async () => {
    const { value } = await source([
      write('a.yml', router('a')),
      write('b.yml', router('a', 'Host(`other`)')),
      write('s.yml', SERVICE),
    ]).next();
    expect(value!.runtime.http.routers['a@file']!.config.rule).toBe('Host(`a.test`)');
    expect(value!.problems).toMatchObject([
      { message: expect.stringMatching(/written in .*a\.yml too/), place: { object: 'http.routers.a' } },
    ]);
  });

  it('tells what merge has disabled', async () => {
    const { value } = await source([write('a.yml', router('a'))]).next();
    expect(value!.problems).toMatchObject([{ message: expect.stringContaining("'s@file'"), place: { object: 'http.routers.a@file' } }]);
  });

  it('tells of a file that is not there', async () => {
    const { value } = await source([join(folder, 'gone.yml')]).next();
    expect(value!.problems).toMatchObject([{ code: 'config.io' }]);
  });
});

describe('sync', () => {
  it('plans without touching, applies when told, and is idle when nothing changed', async () => {
    const memory = memoryTarget();
    const paths = [write('a.yml', router('a')), write('s.yml', SERVICE)];
    const dry = run(memory, source(paths), { apply: false });
    expect(await dry.done).toEqual({ isWell: true, pending: 1 });
    expect(dry.said.join('')).toContain('+ a@file  Host(`a.test`)');
    expect(memory.plans).toHaveLength(0);
    expect(await run(memory, source(paths)).done).toEqual({ isWell: true, pending: 0 });
    const again = run(memory, source(paths));
    expect(await again.done).toEqual({ isWell: true, pending: 0 });
    expect(again.said).toEqual(['Nothing to do.\n']);
    expect(memory.plans).toHaveLength(1);
  });

  it.each([
    [false, 0],
    [true, 1],
  ])('applies what is sound beside a problem only when told to keep going: %s', async (keepGoing, plans) => {
    const memory = memoryTarget();
    const paths = [write('a.yml', router('a')), write('b.yml', router('b', 'Hots(`b`)')), write('s.yml', SERVICE)];
    const { done, complaints } = run(memory, source(paths), { keepGoing });
    expect(await done).toMatchObject({ isWell: false });
    expect(complaints[0]).toMatch(/http\.routers\.b@file.*Hots/);
    expect(memory.plans).toHaveLength(plans);
  });

  it('tells when the target fails', async () => {
    const memory = memoryTarget();
    const target = { ...memory.target, apply: async () => Promise.reject(new Error('disk full')) };
    const { done, complaints } = run(memory, source([write('a.yml', router('a')), write('s.yml', SERVICE)]), { target });
    expect(await done).toMatchObject({ isWell: false });
    expect(complaints).toEqual(['disk full']);
  });

  it('follows the files, keeps what was sound through a broken edit, and removes what left', async () => {
    const memory = memoryTarget();
    const paths = [write('a.yml', router('a')), write('b.yml', router('b')), write('s.yml', SERVICE)];
    const { done } = run(memory, source(paths, true), { keepGoing: true });
    await memory.applied(1);
    expect(memory.entries()).toEqual({ 'a@file': 'Host(`a.test`)', 'b@file': 'Host(`b.test`)' });
    write('a.yml', 'http: { routers: { a: { rule: [broken');
    write('b.yml', router('b', 'Host(`new.test`)'));
    await memory.applied(2);
    expect(memory.entries()).toEqual({ 'a@file': 'Host(`a.test`)', 'b@file': 'Host(`new.test`)' });
    write('b.yml', router('c'));
    await memory.applied(3);
    expect(memory.entries()).toEqual({ 'a@file': 'Host(`a.test`)', 'c@file': 'Host(`c.test`)' });
    stopping.abort();
    await done;
  });
});
