/**
 * Generated and damaged HTTP/1.1 messages, judged by llhttp (the parser in Node): what llhttp refuses in strict mode must not be taken
 * here, what both take must be the same message, and how bytes are cut into segments must not matter.
 */
import { createRequire } from 'node:module';
import { parseRequestHead, parseResponseHead, type RequestHead, type ResponseHead } from '../../src/origin-agent/http1/head.ts';
import { HeadReader } from '../../src/origin-agent/http1/head-reader.ts';
import { type BodySource, type Framing, Http1Body } from '../../src/origin-agent/http1/incoming-body.ts';
import { DEFAULT_LIMITS } from '../../src/origin-agent/http1/settings.ts';
import { framingOf } from '../../src/origin-agent/http1/upstream-connection.ts';

export type Kind = 'request' | 'response';

/** A message as both sides tell it. */
interface Message {
  readonly start: string;
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[];
}

interface Reading {
  readonly messages: readonly Message[];
  /** Why reading stopped; undefined when more bytes could follow. */
  readonly stopped: string | undefined;
}

/** Runs so many inputs of each kind; throws on the first one that is judged wrong, showing it and its seed. */
export async function fuzz(count: number, firstSeed = Date.now() % 1_000_000_000): Promise<void> {
  const statistics = { taken: 0, refused: 0 };
  for (let i = 0; i < count; i++) {
    const { input, kind } = generate(firstSeed + i);
    const complaint = judge(kind, input, firstSeed + i, statistics);
    if (complaint !== undefined) throw new Error(`${kind} of seed ${firstSeed + i}: ${complaint}\n${JSON.stringify(input)}`);
    // Lets others have the thread now and then.
    if (i % 10_000 === 9999) await new Promise((resolve) => void setImmediate(resolve));
  }
  console.log(`http1: ${count} inputs from seed ${firstSeed}: ${statistics.taken} messages taken, ${statistics.refused} inputs refused`);
}

/** What is wrong with our reading of the input (latin1); undefined when nothing is. */
export function judge(kind: Kind, input: string, seed = 1, statistics = { taken: 0, refused: 0 }): string | undefined {
  const whole = read(kind, [input]);
  const cut = read(kind, cutInto(input, random(seed)));
  if (JSON.stringify(whole.messages) !== JSON.stringify(cut.messages)) return `segments matter: ${show(whole)} became ${show(cut)}`;
  statistics.taken += whole.messages.length;
  if (whole.stopped?.startsWith('refused')) statistics.refused++;
  const verdict = readByLlhttp(kind, input);
  for (const [i, ours] of whole.messages.entries()) {
    const theirs = verdict.messages[i];
    // An interim answer has no body whatever its fields say (RFC 9112 §6.3); llhttp knows that of the registered ones alone.
    if (/^HTTP\/1\.. 1(?!0[0-3])/.test(ours.start)) return undefined;
    if (theirs === undefined) {
      if (isKnownDifference(ours, verdict.stopped)) return undefined;
      return `llhttp does not take message ${i} (${verdict.stopped ?? 'waits'}): ${JSON.stringify(ours)}`;
    }
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) return `llhttp reads ${JSON.stringify(theirs)}, we ${JSON.stringify(ours)}`;
  }
  return undefined;
}

const show = ({ messages, stopped }: Reading): string => `${JSON.stringify(messages)} ${stopped ?? ''}`;

/** Methods of our own and raw bytes beyond ASCII in targets pass in Traefik; llhttp knows neither. */
function isKnownDifference({ start }: Message, verdict: string | undefined): boolean {
  if (verdict === 'HPE_INVALID_METHOD') return true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: raw bytes beyond ASCII are meant.
  return verdict === 'HPE_INVALID_URL' && /[^\x00-\x7f]/.test(start);
}

// Our reading, as connection.ts and upstream-connection.ts do it, without sockets.

const source: BodySource = { onBodyOpened() {}, onBodyWanted() {}, onBodyAbandoned() {} };

function read(kind: Kind, segments: readonly string[]): Reading {
  const messages: Message[] = [];
  const head = new HeadReader(DEFAULT_LIMITS.maxHeaderBytes);
  let body: Http1Body | undefined;
  let current: Message | undefined;
  let last = false;
  const finish = (): void => {
    current!.trailers = body?.trailers()?.raw ?? [];
    messages.push(current!);
    body = undefined;
  };
  for (const segment of segments) {
    let rest = segment;
    while (rest !== '') {
      if (last && body === undefined) return { messages, stopped: 'closed' };
      if (body !== undefined) {
        const bytes = Buffer.from(rest, 'latin1');
        const used = body.receive(bytes, 0, bytes.length);
        if (used === -1) return { messages, stopped: 'refused: body' };
        rest = rest.slice(used);
        if (body.complete) finish();
        continue;
      }
      if (!head.add(rest)) {
        if (head.refusal !== undefined) return { messages, stopped: `refused: ${head.refusal.reason}` };
        break;
      }
      const parsed =
        kind === 'request' ? parseRequestHead(head.text, head.end, DEFAULT_LIMITS) : parseResponseHead(head.text, head.end, DEFAULT_LIMITS);
      if (parsed.reason !== undefined) return { messages, stopped: `refused: ${parsed.reason}` };
      rest = head.text.slice(head.end);
      current = { start: startOf(kind, head.text), fields: withoutHost(parsed.fields.raw), body: '', trailers: [] };
      last = isLast(parsed);
      if (isUpgrade(parsed)) return { messages: [...messages, current], stopped: 'upgrade' };
      const framing = framingFor(kind, parsed);
      if (framing === undefined) {
        messages.push(current);
        continue;
      }
      body = new Http1Body(framing, source, DEFAULT_LIMITS);
      const message = current;
      const onContent = (bytes: Buffer): boolean => {
        message.body += bytes.toString('latin1');
        return true;
      };
      body.attach({ onContent, onEnd() {}, onFailure() {} });
    }
  }
  if (kind === 'response' && body?.receiveEnd()) finish();
  return { messages, stopped: undefined };
}

/** The first line, without the phrase of an answer, which means nothing. */
const startOf = (kind: Kind, text: string): string => text.slice(0, kind === 'request' ? text.indexOf('\r\n') : 12);
const isLast = ({ fields, minor }: RequestHead | ResponseHead): boolean => fields.close || (minor === 0 && !fields.keepAlive);

function isUpgrade(head: RequestHead | ResponseHead): boolean {
  if ('status' in head) return head.status === 101;
  return head.method === 'CONNECT' || (head.fields.connectionUpgrade && head.fields.upgrade !== undefined);
}

function framingFor(kind: Kind, head: RequestHead | ResponseHead): Framing | undefined {
  if (kind === 'response') return (head as ResponseHead).status < 200 ? undefined : framingOf('GET', head as ResponseHead);
  if (head.fields.chunked) return 'chunked';
  return head.fields.contentLength > 0 ? { length: head.fields.contentLength } : undefined;
}

/** Host is no field of our records, and framing fields are no trailers. */
const withoutHost = (raw: readonly string[]): string[] => raw.filter((_, i) => raw[i - (i % 2)]!.toLowerCase() !== 'host');
const NO_TRAILERS = /^(?:host|keep-alive|te|trailer|upgrade|proxy-.*)$/i;

// The judge

interface Parser {
  initialize(type: number, resource: object, maxHeaderSize?: number, flags?: number): void;
  execute(buffer: Buffer): number | (Error & { code: string });
  finish(): undefined | (Error & { code: string });
  [callback: number]: unknown;
}
type ParserClass = (new () => Parser) &
  Record<'REQUEST' | 'RESPONSE' | 'kOnHeaders' | 'kOnHeadersComplete' | 'kOnBody' | 'kOnMessageComplete', number>;
// Node keeps its parser to itself; a test may look behind the curtain.
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as { HTTPParser: ParserClass; methods: readonly string[] };

function readByLlhttp(kind: Kind, input: string): Reading {
  const messages: Message[] = [];
  let fields: string[] = [];
  let current: Message | undefined;
  let upgraded = false;
  const parser = new HTTPParser();
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, DEFAULT_LIMITS.maxHeaderBytes, 0);
  let url = '';
  parser[HTTPParser.kOnHeaders] = (raw: string[], target: string) => {
    fields.push(...raw);
    url += target;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    major: number,
    minor: number,
    raw: string[] | undefined,
    method: number,
    target: string | undefined,
    status: number,
    _phrase: string,
    upgrade: boolean,
  ) => {
    const version = `HTTP/${major}.${minor}`;
    const start = kind === 'request' ? `${methods[method]} ${target ?? url} ${version}` : `${version} ${status}`;
    current = { start, fields: withoutHost([...fields, ...(raw ?? [])]), body: '', trailers: [] };
    fields = [];
    url = '';
    if (upgrade) {
      upgraded = true;
      messages.push(current);
      return 2;
    }
    return 0;
  };
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    current!.body += Buffer.from(bytes).toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (upgraded) return;
    current!.trailers = fields.filter((_, i) => !NO_TRAILERS.test(fields[i - (i % 2)]!));
    fields = [];
    // The parser tells the target again with the trailers.
    url = '';
    messages.push(current!);
  };
  let result: ReturnType<Parser['execute']> | undefined = parser.execute(Buffer.from(input, 'latin1'));
  if (typeof result === 'number') result = parser.finish() as never;
  const stopped = result instanceof Error ? result.code : undefined;
  return { messages, stopped };
}

// Inputs

/** A stream of random numbers in [0, 1) (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An input of latin1 text for the seed: a few well-formed messages, most of them then damaged in a few places. */
export function generate(seed: number): { kind: Kind; input: string } {
  const next = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const kind: Kind = next() < 0.7 ? 'request' : 'response';
  let input = '';
  for (let left = 1 + Math.floor(next() * 3); left > 0; left--) input += message(kind, next, pick);
  for (let damage = Math.floor(next() * 4); damage > 0; damage--) {
    const at = Math.floor(next() * (input.length + 1));
    const length = pick([0, 0, 1, 1, 2, 5]);
    input = input.slice(0, at) + (next() < 0.7 ? pick(SPLINTERS) : '') + input.slice(at + length);
  }
  return { kind, input };
}

function message(kind: Kind, next: () => number, pick: <T>(list: readonly T[]) => T): string {
  const fields = kind === 'request' ? ['Host: a.test'] : [];
  for (let left = Math.floor(next() * 3); left > 0; left--) fields.push(pick(FIELD_LINES));
  const content = pick(['', 'a', 'hello', 'x'.repeat(40), '\r\n0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n']);
  const framing = next();
  let body = '';
  if (framing < 0.35) {
    fields.push(`Content-Length: ${content.length}`);
    body = content;
  } else if (framing < 0.7) {
    fields.push(pick(['Transfer-Encoding: chunked', 'transfer-encoding:chunked', 'Transfer-Encoding: Chunked ']));
    for (const piece of [content.slice(0, 3), content.slice(3)])
      if (piece !== '') body += `${piece.length.toString(16)}${pick(EXTENSIONS)}\r\n${piece}\r\n`;
    body += `0${pick(EXTENSIONS)}\r\n${pick(['', '', 'X-Sum: 7\r\n', 'A:b\r\nContent-Length: 3\r\n', 'Te: x\r\nb: c\r\n'])}\r\n`;
  } else if (framing < 0.85 && kind === 'response') {
    body = content;
  }
  const start = kind === 'request' ? `${pick(METHODS)} ${pick(TARGETS)} ${pick(VERSIONS)}` : pick(STATUS_LINES);
  if (next() < 0.5) fields.reverse();
  return `${start}\r\n${fields.join('\r\n')}${fields.length > 0 ? '\r\n' : ''}\r\n${body}`;
}

const METHODS = ['GET', 'GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'CONNECT', 'FROB'];
const TARGETS = ['/', '/a/b?c=d', '*', 'http://b.test/x', '/%2f..', '/?', 'a.test:443', '/\xe9'];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'];
const STATUS_LINES = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304',
  'HTTP/1.1 103 Early Hints',
  'HTTP/1.1 500 \xe9',
];
const EXTENSIONS = ['', '', '', ';a', ';a=b', ';a="b c"', ';a;b=1'];
const FIELD_LINES = [
  'X: y',
  'x-empty:',
  'X:  spaced \t',
  'Connection: keep-alive',
  'Connection: close',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Accept: a, b;q=0.5',
  'X: \xff',
  'Expect: 100-continue',
  'TE: trailers',
  'Trailer: X-Sum',
  'Content-Length: 0',
  'Transfer-Encoding: gzip, chunked',
];
const SPLINTERS = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  '\0',
  '\x7f',
  '\x80',
  ':',
  ';',
  ',',
  '"',
  '0',
  '1',
  'a',
  '-',
  '+',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  '\r\n folded',
  'HTTP/1.1',
  '0\r\n\r\n',
  'ffffffffffffffff',
  '/',
  '#',
  '%',
  '\x01',
  '\x0b',
];

/** The text in pieces, often small ones. */
function cutInto(text: string, next: () => number): string[] {
  const pieces: string[] = [];
  let at = 0;
  while (at < text.length) {
    const length = next() < 0.3 ? 1 : 1 + Math.floor(next() * 30);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

if (import.meta.main) await fuzz(Number(process.argv[2] ?? 100_000), process.argv[3] === undefined ? undefined : Number(process.argv[3]));
