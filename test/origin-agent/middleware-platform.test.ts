import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { concatBytes, encodeText } from '../../src/base/bytes.ts';
import { rateLimit } from '../../src/middlewares/http/rate-limit.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { createMiddlewarePlatform } from '../../src/origin-agent/middleware-platform.ts';
import { build } from '../support/middleware-harness.ts';
import { findServer, freePort, type RunningServer, startRedis } from '../support/servers.ts';

const platform = createMiddlewarePlatform();
afterAll(() => platform.close());

const unpack = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync };
const codings = ['gzip', 'br', 'zstd'] as const;

describe.each(codings)('%s', (coding) => {
  it('packs and unpacks what it is given', async () => {
    const plain = concatBytes([encodeText('text '.repeat(50_000)), new Uint8Array(randomBytes(300_000))]);
    const packer = platform.compressor!(coding)!;
    const packed: Uint8Array[] = [];
    for (let i = 0; i < plain.length; i += 60_000) packed.push(await packer.write(plain.subarray(i, i + 60_000)));
    packed.push(await packer.end());
    const whole = concatBytes(packed);
    expect(whole.length).toBeLessThan(320_000);
    expect(unpack[coding](whole).equals(plain)).toBe(true);

    const unpacker = platform.decompressor!(coding)!;
    const parts: Uint8Array[] = [];
    for (let i = 0; i < whole.length; i += 7_000) parts.push(await unpacker.write(whole.subarray(i, i + 7_000)));
    parts.push(await unpacker.end());
    expect(Buffer.from(concatBytes(parts)).equals(plain)).toBe(true);
  });

  it('pushes out at a flush what was written', async () => {
    const packer = platform.compressor!(coding)!;
    const unpacker = platform.decompressor!(coding)!;
    for (const text of ['first', 'second']) {
      const packed = concatBytes([await packer.write(encodeText(text)), await packer.flush()]);
      expect(Buffer.from(await unpacker.write(packed)).toString()).toBe(text);
    }
    packer.close();
    unpacker.close();
  });

  it('rejects what is no such coding, and what is cut off', async () => {
    const noise = platform.decompressor!(coding)!;
    await expect(noise.write(encodeText('this is plain text, and long enough')).then(() => noise.end())).rejects.toThrow();
    const cut = platform.decompressor!(coding)!;
    const packer = platform.compressor!(coding)!;
    const whole = concatBytes([await packer.write(new Uint8Array(randomBytes(5000))), await packer.end()]);
    await expect(cut.write(whole.subarray(0, 3000)).then(() => cut.end())).rejects.toThrow();
  });

  it('can be closed at any time', async () => {
    const packer = platform.compressor!(coding)!;
    const pending = packer.write(new Uint8Array(randomBytes(1_000_000))).catch(() => 'closed');
    packer.close();
    packer.close();
    await pending;
    await expect(packer.write(encodeText('more'))).rejects.toThrow();
  });
});

it('knows codings of others', async () => {
  const gzip = platform.decompressor!('gzip')!;
  expect(Buffer.from(await gzip.write(gzipSync('x'))).toString()).toBe('x');
  const zstd = platform.decompressor!('zstd')!;
  expect(Buffer.from(concatBytes([await zstd.write(zstdCompressSync('x')), await zstd.end()])).toString()).toBe('x');
});

it('reads files, and says why it cannot', () => {
  expect(platform.readFile!('test/fixtures/htpasswd/digest-users')).toMatch(/^bob:traefik:/);
  expect(() => platform.readFile!('/nothing/here')).toThrow("'/nothing/here' cannot be read: ENOENT");
});

describe('spill', () => {
  it('gives back what was written, as often as wanted', async () => {
    const spill = platform.spill!();
    const chunks = [encodeText('a'), new Uint8Array(randomBytes(200_000)), encodeText('z')];
    for (const chunk of chunks) await spill.write(chunk);
    for (let i = 0; i < 2; i++) {
      const read: Uint8Array[] = [];
      for await (const chunk of spill.read()) read.push(chunk.slice());
      expect(Buffer.from(concatBytes(read)).equals(Buffer.from(concatBytes(chunks)))).toBe(true);
    }
    spill.close();
    spill.close();
  });

  it('is empty when nothing was written', async () => {
    const spill = platform.spill!();
    for await (const _ of spill.read()) expect.unreachable();
    spill.close();
  });
});

const redisPath = findServer('redis-server');
describe.skipIf(redisPath === undefined)('Redis (redis-server)', () => {
  let server: RunningServer | undefined;
  const options = async () => ({
    readTimeout: 3_000,
    writeTimeout: 3_000,
    dialTimeout: 1_000,
    endpoints: [`127.0.0.1:${(server ??= await startRedis(redisPath!)).port}`],
  });
  afterAll(() => server?.stop());

  it('runs scripts, also after it forgot them', async () => {
    const scripts = platform.redis!(await options());
    expect(platform.redis!(await options())).toBe(scripts);
    const script = "return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}";
    expect(await scripts.evaluate(script, ['k'], [5])).toEqual(['k', '5', 1]);
    await scripts.evaluate("return redis.call('SCRIPT', 'FLUSH')", [], []).catch(() => {});
    expect(await scripts.evaluate(script, ['k'], [5])).toEqual(['k', '5', 2]);
  });

  it('counts the requests of two agents together', async () => {
    const redis = { endpoints: (await options()).endpoints };
    const words = [1, 2].map(() => build(rateLimit, { average: 1, period: '1h', burst: 3, redis }, { platform, name: 'together@file' }));
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await words[i % 2]!.ask()).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect((await words[0]!.ask()).header('Retry-After')).toMatch(/^(3600|3599)$/);
    expect((await words[0]!.ask({ clientAddress: '10.0.0.1' })).status).toBe(200);
    const scripts = platform.redis!(await options());
    const fields = (await scripts.evaluate("return redis.call('HGETALL', KEYS[1])", ['rate:together@file:127.0.0.1'], [])) as string[];
    expect([fields[0], fields[2], Number(fields[3]) < 1]).toEqual(['last', 'tokens', true]);
    expect(Math.abs(Number(fields[1]) / 1000 - Date.now())).toBeLessThan(5_000);
    expect(await scripts.evaluate("return redis.call('TTL', KEYS[1])", ['rate:together@file:127.0.0.1'], [])).toBe(10_801);
  });

  it('goes on with a bucket that Traefik left', async () => {
    const redis = { endpoints: (await options()).endpoints };
    const left = "redis.call('HSET', KEYS[1], 'last', ARGV[1], 'tokens', '0.25') return 1";
    await platform.redis!(await options()).evaluate(left, ['rate:left@file:127.0.0.1'], [Date.now() * 1000]);
    const answer = await build(rateLimit, { average: 1, period: '1h', redis }, { platform, name: 'left@file' }).ask();
    expect([answer.status, Math.round(Number(answer.header('Retry-After')) / 10)]).toEqual([429, 270]);
  });

  it('lets requests through at the written rate', async () => {
    const redis = { endpoints: (await options()).endpoints };
    const { ask } = build(rateLimit, { average: 100, burst: 1, redis }, { platform, name: 'rate@file', clock: systemClock });
    const start = Date.now();
    let passed = 0;
    while (Date.now() - start < 300) if ((await ask()).status === 200) passed++;
    expect(passed).toBeGreaterThan(20);
    expect(passed).toBeLessThanOrEqual(32);
  });
});

it('rejects at once while Redis is away', async () => {
  const scripts = platform.redis!({
    endpoints: [`127.0.0.1:${await freePort()}`],
    readTimeout: 3_000,
    writeTimeout: 3_000,
    dialTimeout: 1_000,
  });
  await expect(scripts.evaluate('return 1', [], [])).rejects.toThrow();
});
