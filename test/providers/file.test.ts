import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../scripts/vectors/file.ts';
import type { Clock } from '../../src/base/clock.ts';
import { describe as print } from '../../src/base/errors.ts';
import { createLogger, type LogLine } from '../../src/base/log.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { fileProvider } from '../../src/providers/file.ts';
import { loadFiles } from '../../src/providers/file-load.ts';
import type { ProviderMessage } from '../../src/providers/provider.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'edgeway-file-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const at = (path: string): string => join(place, path);
const put = (path: string, text: string): void => writeFileSync(at(path), text);
const router = (name: string, rule: string): string => `http: {routers: {${name}: {rule: ${rule}}}}\n`;
/** Replaces a file as editors and deployments do. */
function replace(path: string, text: string): void {
  put(`${path}~`, text);
  renameSync(at(`${path}~`), at(path));
}

/** What the provider says, one after the other; `until` waits for what fits. */
function watch(
  options: { filename?: string; directory?: string; watch?: boolean },
  onReread?: (listener: () => void) => void,
  clock: Clock = systemClock,
) {
  const ending = new AbortController();
  const lines: LogLine[] = [];
  const log = createLogger((line) => lines.push(line), 'TRACE');
  const context = { clock, log, signal: ending.signal, environment: { HOST: 'h.test' }, ...(onReread && { onReread }) };
  const stream = fileProvider.watch({ watch: true, ...options }, context);
  const messages = stream[Symbol.asyncIterator]();
  return {
    lines,
    end: () => ending.abort(),
    next: () => messages.next(),
    async until(fits: (message: ProviderMessage) => boolean): Promise<ProviderMessage> {
      while (true) {
        const { value, done } = await messages.next();
        if (done) throw new Error('The provider ended');
        if (fits(value)) return value;
      }
    },
  };
}
const rule = (message: ProviderMessage, name = 'a'): string | undefined => message.configuration.http?.routers?.[name]?.rule;
const says = (text: string) => (message: ProviderMessage) => rule(message) === text;

describe('loadFiles', () => {
  it('answers what Traefik answers', async () => {
    const outcome = await run(fileURLToPath(new URL('../vectors/file', import.meta.url)));
    expect(outcome.different).toEqual([]);
    expect(outcome.equal).toBeGreaterThan(85);
  });

  it('keeps the sound files and objects, and says what is wrong where', async () => {
    mkdirSync(at('d'));
    put('d/broken.yml', 'http: [');
    put('d/good.yml', router('a', 'x'));
    put('d/half.toml', '[http.routers.b]\nrule = "x"\n[http.routers.c]\nrule = "x"\npriority = "high"\n');
    put('d/template.yml', '\n{{ nope }}');
    const { configuration, problems } = await loadFiles({ directory: at('d') }, {});
    expect(Object.keys(configuration.http?.routers ?? {})).toEqual(['a', 'b']);
    expect(problems.map(print)).toEqual([
      expect.stringContaining(`${at('d/broken.yml')}:1: The file is not valid YAML`),
      `http.routers.c (${at('d/half.toml')}:5): priority 'high' is no whole number`,
      expect.stringContaining(`${at('d/template.yml')}:2: The template is wrong: There is no function 'nope'`),
    ]);
  });

  it('warns of names that an earlier file has', async () => {
    mkdirSync(at('d'));
    put('d/a.yml', router('a', 'x'));
    put('d/b.yml', router('a', 'y'));
    const { configuration, warnings } = await loadFiles({ directory: at('d') }, {});
    expect(configuration.http?.routers?.a?.rule).toBe('x');
    expect(warnings.map(print)).toEqual(['http.routers.a (b.yml): is defined by an earlier file; this one is passed over']);
  });

  it('passes over old generations of a ConfigMap', async () => {
    mkdirSync(at('d/..2024_01_01'), { recursive: true });
    put('d/..2024_01_01/a.yml', router('a', 'old'));
    put('d/b.yml', router('b', 'x'));
    const { configuration } = await loadFiles({ directory: at('d') }, {});
    expect(Object.keys(configuration.http?.routers ?? {})).toEqual(['b']);
  });

  it('reads files wherever an option takes one or its content, and leaves out what cannot be read', async () => {
    put('ca.pem', 'CA');
    put(
      'a.yml',
      `http:
  middlewares:
    good: {forwardAuth: {address: "http://a", tls: {ca: ${at('ca.pem')}, cert: "-----BEGIN X-----\\nY\\n"}}}
    bad: {forwardAuth: {address: "http://a", tls: {ca: ${place}}}}
    missing: {forwardAuth: {address: "http://a", tls: {ca: /nowhere/ca.pem}}}
`,
    );
    const { configuration, problems, warnings } = await loadFiles({ filename: at('a.yml') }, {});
    expect(configuration.http?.middlewares).toMatchObject({
      good: { forwardAuth: { tls: { ca: 'CA', cert: '-----BEGIN X-----\nY\n' } } },
      missing: { forwardAuth: { tls: { ca: '/nowhere/ca.pem' } } },
    });
    expect(Object.keys(configuration.http?.middlewares ?? {})).toEqual(['good', 'missing']);
    expect(problems.map(print)).toEqual([
      expect.stringContaining(`http.middlewares.bad (${at('a.yml')}): forwardAuth.tls.ca cannot be read`),
    ]);
    expect(warnings.map(print)).toEqual([
      `http.middlewares.missing (${at('a.yml')}): forwardAuth.tls.ca names no file and is taken for content`,
    ]);
  });
});

describe('fileProvider', () => {
  it('yields every change of a file: written, replaced, taken away, linked elsewhere', async () => {
    put('a.yml', router('a', 'Host(`{{ env "HOST" }}`)'));
    const provider = watch({ filename: at('a.yml') });
    expect(rule((await provider.next()).value!)).toBe('Host(`h.test`)');
    put('a.yml', router('a', 'written'));
    await provider.until(says('written'));
    replace('a.yml', router('a', 'replaced'));
    await provider.until(says('replaced'));
    unlinkSync(at('a.yml'));
    expect(rule(await provider.until(({ problems }) => problems.length > 0))).toBe('replaced');
    put('a.yml', router('a', 'back'));
    await provider.until(says('back'));
    for (const version of ['v1', 'v2']) {
      mkdirSync(at(version));
      put(`${version}/a.yml`, router('a', version));
    }
    symlinkSync('v1', at('current'));
    symlinkSync('current/a.yml', at('link'));
    renameSync(at('link'), at('a.yml'));
    await provider.until(says('v1'));
    symlinkSync('v2', at('next'));
    renameSync(at('next'), at('current'));
    await provider.until(says('v2'));
    put('v2/a.yml', router('a', 'behind two links'));
    await provider.until(says('behind two links'));
    provider.end();
    expect((await provider.next()).done).toBe(true);
  });

  it('yields within 50 ms where the machine is not busy', async () => {
    put('a.yml', router('a', 'x0'));
    const provider = watch({ filename: at('a.yml') });
    await provider.next();
    const times: number[] = [];
    for (let i = 1; i <= 5; i++) {
      const started = performance.now();
      replace('a.yml', router('a', `x${i}`));
      await provider.until(says(`x${i}`));
      times.push(performance.now() - started);
    }
    expect(Math.min(...times)).toBeLessThan(50);
    provider.end();
  });

  it('keeps what a faulty object or file was, until it is sound or taken out', async () => {
    put('a.yml', 'http: {routers: {a: {rule: one}, b: {rule: two}}}');
    const provider = watch({ filename: at('a.yml') });
    await provider.next();
    put('a.yml', 'http: {routers: {a: {ruel: one}, b: {rule: three}}}');
    const half = await provider.until((message) => rule(message, 'b') === 'three');
    expect(rule(half)).toBe('one');
    expect(half.problems).toHaveLength(1);
    put('a.yml', 'http: {routers: [');
    const broken = await provider.until(({ problems }) => problems[0]?.code === 'config.syntax');
    expect([rule(broken), rule(broken, 'b')]).toEqual(['one', 'three']);
    put('a.yml', 'http: {routers: {b: {rule: four}}}');
    expect(rule(await provider.until((message) => rule(message, 'b') === 'four'))).toBeUndefined();
    provider.end();
  });

  it('does not believe a file that is empty for a moment', async () => {
    put('a.yml', router('a', 'x'));
    // The second half of the writing comes while the provider waits for it.
    const after: Clock['after'] = (ms, callback) => {
      if (ms === 50) put('a.yml', router('a', 'y'));
      return systemClock.after(ms, callback);
    };
    const provider = watch({ filename: at('a.yml') }, undefined, { ...systemClock, after });
    await provider.next();
    put('a.yml', '');
    expect(rule((await provider.next()).value!)).toBe('y');
    provider.end();
  });

  it('sees files and directories come and go', async () => {
    mkdirSync(at('d'));
    put('d/a.yml', router('a', 'x'));
    const provider = watch({ directory: at('d') });
    await provider.next();
    mkdirSync(at('d/sub'));
    put('d/sub/b.yml', router('b', 'x'));
    await provider.until((message) => rule(message, 'b') === 'x');
    put('d/sub/b.yml', router('b', 'y'));
    await provider.until((message) => rule(message, 'b') === 'y');
    rmSync(at('d/sub'), { recursive: true });
    await provider.until((message) => rule(message, 'b') === undefined);
    renameSync(at('d'), at('old'));
    mkdirSync(at('new'));
    put('new/c.yml', router('c', 'x'));
    renameSync(at('new'), at('d'));
    await provider.until((message) => rule(message, 'c') === 'x');
    put('d/c.yml', router('c', 'y'));
    await provider.until((message) => rule(message, 'c') === 'y');
    provider.end();
  });

  it('sees files named in options come and change', async () => {
    mkdirSync(at('certs'));
    put('a.yml', `tls: {certificates: [{certFile: ${at('certs/c.pem')}, keyFile: ${at('certs/k.pem')}}]}`);
    put('certs/k.pem', 'KEY');
    const certFile = ({ configuration }: ProviderMessage): string | undefined => configuration.tls?.certificates?.[0]?.certFile;
    const provider = watch({ filename: at('a.yml') });
    expect(certFile((await provider.next()).value!)).toBe(at('certs/c.pem'));
    put('certs/c.pem', 'ONE');
    await provider.until((message) => certFile(message) === 'ONE');
    replace('certs/c.pem', 'TWO');
    await provider.until((message) => certFile(message) === 'TWO');
    provider.end();
  });

  it('waits for a file that does not exist yet', async () => {
    const provider = watch({ filename: at('later/a.yml') });
    const first: ProviderMessage = (await provider.next()).value!;
    expect(first.configuration).toEqual({});
    expect(first.problems.map((problem) => problem.code)).toEqual(['config.io']);
    mkdirSync(at('later'));
    put('later/a.yml', router('a', 'x'));
    await provider.until(says('x'));
    provider.end();
  });

  it('says one thing and waits for its end without watch', async () => {
    put('a.yml', router('a', 'x'));
    const provider = watch({ filename: at('a.yml'), watch: false });
    expect(rule((await provider.next()).value!)).toBe('x');
    const end = provider.next();
    provider.end();
    expect((await end).done).toBe(true);
  });

  it.each([true, false])('reads again when that is wished (watch: %s)', async (watches) => {
    put('a.yml', router('a', 'x'));
    let reread = (): void => {};
    const provider = watch({ filename: at('a.yml'), watch: watches }, (listener) => (reread = listener));
    expect(rule((await provider.next()).value!)).toBe('x');
    const next = provider.next();
    reread();
    expect(rule((await next).value!)).toBe('x');
    put('a.yml', router('a', 'y'));
    reread();
    await provider.until(says('y'));
    provider.end();
  });

  it('logs what is odd', async () => {
    put('a.yml', 'http: {routers: {a: {rule: x, entryPoints: web, tls: "yes"}}}');
    const provider = watch({ filename: at('a.yml') });
    await provider.next();
    expect(provider.lines.map(({ level, fields }) => [level, fields.reason])).toEqual([
      ['WARN', `http.routers.a (${at('a.yml')}:1): tls 'yes' switches it off; write true or false`],
    ]);
    provider.end();
  });
});
