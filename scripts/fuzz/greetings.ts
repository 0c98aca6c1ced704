/**
 * First bytes of connections, whole and damaged: ClientHello in any number of records, PROXY headers of both versions. Reading must not
 * throw; what was read must not change when more bytes come, nor depend on how they were cut; and what was not damaged must be read as it was
 * written.
 */
import { isIP } from 'node:net';
import { type Endpoint, proxyHeader, readProxyHeader } from '../../src/origin-agent/entrypoints/proxy-protocol.ts';
import { readClientHello } from '../../src/origin-agent/tls/hello.ts';

type Random = () => number;
type Kind = 'hello' | 'proxy';

interface Input {
  readonly kind: Kind;
  readonly bytes: Buffer;
  /** What must be read; undefined when the bytes were damaged. */
  readonly expected: unknown;
}

/** Runs so many inputs; throws on the first one that is judged wrong, showing it and its seed. */
export async function fuzz(count: number, firstSeed = Date.now() % 1_000_000_000): Promise<void> {
  const seen: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const input = generate(firstSeed + i);
    const complaint = judge(input, firstSeed + i);
    if (complaint !== undefined) throw new Error(`${input.kind} of seed ${firstSeed + i}: ${complaint}\n${input.bytes.toString('hex')}`);
    const result = read(input.kind, input.bytes);
    const name = `${input.kind} ${typeof result === 'string' ? result : 'read'}`;
    seen[name] = (seen[name] ?? 0) + 1;
    // Lets others have the thread now and then.
    if (i % 10_000 === 9999) await new Promise((resolve) => void setImmediate(resolve));
  }
  console.log(`greetings: ${count} inputs from seed ${firstSeed}: ${JSON.stringify(seen)}`);
}

const read = (kind: Kind, bytes: Buffer) => (kind === 'hello' ? readClientHello(bytes) : readProxyHeader(bytes));

/** What is wrong with our reading of the input; undefined when nothing is. */
export function judge({ kind, bytes, expected }: Input, seed = 1): string | undefined {
  const whole = JSON.stringify(read(kind, bytes));
  if (expected !== undefined && whole !== JSON.stringify(expected)) return `read as ${whole} instead of ${JSON.stringify(expected)}`;
  const random = createRandom(seed);
  let decided: string | undefined;
  for (let end = 0; end <= bytes.length; end += 1 + Math.floor(random() * 40)) {
    const part = JSON.stringify(read(kind, bytes.subarray(0, end)));
    if (decided !== undefined && part !== decided) return `${decided} became ${part} with ${end} bytes`;
    if (part !== '"more"') decided = part;
  }
  if (decided !== undefined && decided !== whole) return `${decided} became ${whole} in the end`;
  const more = JSON.stringify(read(kind, Buffer.concat([bytes, Buffer.from('and more')])));
  if (whole !== '"more"' && more !== whole) return `${whole} became ${more} with more bytes`;
  const result = read(kind, bytes);
  if (kind !== 'proxy' || typeof result === 'string') return undefined;
  const { size, source, destination } = result as { size: number; source?: Endpoint; destination?: Endpoint };
  if (size > bytes.length) return `a header of ${size} bytes`;
  for (const one of [source, destination]) {
    if (one !== undefined && (isIP(one.address) === 0 || !(one.port >= 0 && one.port <= 65_535)))
      return `no endpoint: ${JSON.stringify(one)}`;
  }
  return undefined;
}

/** An input; the same for the same seed. */
export function generate(seed: number): Input {
  const random = createRandom(seed);
  const whole = random() < 0.6 ? hello(random) : proxy(random);
  return random() < 0.3 ? whole : { ...whole, bytes: damage(whole.bytes, random), expected: undefined };
}

function createRandom(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const pick = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)]!;
const noise = (random: Random, size: number): Buffer => Buffer.from(Array.from({ length: size }, () => below(random, 256)));

/** Content behind its length, which takes so many bytes. */
function vector(width: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(width);
  length.writeUIntBE(content.length, 0, width);
  return Buffer.concat([length, content]);
}

const number = (value: number, width: number): Buffer => {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
};

function hello(random: Random): Input {
  const serverName = pick(random, ['', 'a.test', 'www.example.org', 'xn--bcher-kva.example', `${'long.'.repeat(40)}test`]);
  const protocols = pick(random, [[], ['h2', 'http/1.1'], ['postgresql'], ['acme-tls/1'], ['x'.repeat(255)]] as const);
  const extension = (kind: number, content: Buffer): Buffer => Buffer.concat([number(kind, 2), vector(2, content)]);
  const names = extension(0, vector(2, Buffer.from([0]), vector(2, Buffer.from(serverName.toUpperCase()))));
  const alpn = extension(16, vector(2, ...protocols.map((one) => vector(1, Buffer.from(one)))));
  const others = Array.from({ length: below(random, 8) }, () =>
    extension(pick(random, [0x0a0a, 0xfafa, 10, 13, 43, 51, 41]), noise(random, below(random, 300))),
  );
  const extensions = [
    ...others.slice(0, 3),
    ...(serverName === '' ? [] : [names]),
    ...(protocols.length === 0 ? [] : [alpn]),
    ...others.slice(3),
  ];
  const content = Buffer.concat([
    number(0x0303, 2),
    noise(random, 32),
    vector(1, noise(random, below(random, 33))),
    vector(2, noise(random, 2 + 2 * below(random, 40))),
    vector(1, Buffer.from([0])),
    ...(extensions.length === 0 ? [] : [vector(2, ...extensions)]),
  ]);
  const message = Buffer.concat([Buffer.from([1]), vector(3, content)]);
  const records: Buffer[] = [];
  const limit = pick(random, [16_384, 500, 100]);
  for (let at = 0; at < message.length; ) {
    const size = Math.min(limit, message.length - at, 1 + below(random, limit));
    records.push(Buffer.concat([Buffer.from([22, 3, pick(random, [1, 3])]), vector(2, message.subarray(at, at + size))]));
    at += size;
  }
  // More than anybody needs is refused, as a peer might cut it into crumbs.
  const expected = records.length > 60 ? undefined : { serverName, protocols };
  return { kind: 'hello', bytes: Buffer.concat(records), expected };
}

function proxy(random: Random): Input {
  const isShort = random() < 0.5;
  const address = (): string =>
    isShort
      ? Array.from({ length: 4 }, () => below(random, 256)).join('.')
      : Array.from({ length: 8 }, () => (0x1000 + below(random, 0xefff)).toString(16)).join(':');
  const [source, destination] = [0, 1].map(() => ({ address: address(), port: below(random, 65_536) })) as [Endpoint, Endpoint];
  const bytes = proxyHeader(pick(random, [1, 2]), source, destination);
  return { kind: 'proxy', bytes, expected: { size: bytes.length, source, destination } };
}

/** Cuts, doubles, changes, swaps. */
function damage(bytes: Buffer, random: Random): Buffer {
  let damaged = Buffer.from(bytes);
  for (let times = 1 + below(random, 4); times > 0 && damaged.length > 0; times--) {
    const at = below(random, Math.min(damaged.length, random() < 0.5 ? 60 : damaged.length));
    const tail = damaged.subarray(at);
    const head = damaged.subarray(0, at);
    damaged = pick(random, [
      () => Buffer.from(head),
      () => Buffer.concat([head, tail.subarray(1 + below(random, 4))]),
      () => Buffer.concat([head, noise(random, 1 + below(random, 4)), tail]),
      () => Buffer.concat([head, Buffer.from([pick(random, [0, 1, 22, 127, 255, below(random, 256)])]), tail.subarray(1)]),
      () => Buffer.concat([head, tail, tail]),
    ])();
  }
  return damaged;
}
