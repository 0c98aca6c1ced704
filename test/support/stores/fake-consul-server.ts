import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';

/**
 * Consul's HTTP API as far as the client uses it, from Consul's documentation (1.20): KV with recurse, keys, acquire and
 * X-Consul-Index, blocking questions, transactions of 64 operations, sessions with TTL, LockDelay and Behavior, tokens (401-less:
 * 403 with a text), namespaces. Process of its own: `node fake-consul-server.ts PORT [KEY CERT]`. `/test/…` are ours.
 */
interface Entry {
  value: Buffer;
  create: number;
  modify: number;
  lock: number;
  session: string | undefined;
}
interface Session {
  readonly ttlMs: number;
  readonly deletes: boolean;
  timer: NodeJS.Timeout;
}

const spaces = new Map<string, Map<string, Entry>>();
const sessions = new Map<string, Session>();
let waiting: (() => void)[] = [];
let index = 10;
/** Indexes by prefix go back to this when the test says so. */
let offset = 0;
const tokens: Record<string, 'write' | 'read'> = {};

const bump = (): number => {
  index += 1;
  const woken = waiting;
  waiting = [];
  for (const wake of woken) wake();
  return index;
};

function endSession(id: string): void {
  const session = sessions.get(id);
  if (session === undefined) return;
  clearTimeout(session.timer);
  sessions.delete(id);
  for (const entries of spaces.values()) {
    for (const [key, entry] of entries) {
      if (entry.session !== id) continue;
      if (session.deletes) removeKey(entries, key);
      else Object.assign(entry, { session: undefined, modify: bump() });
    }
  }
}
const removed = new Map<string, number>();
function removeKey(entries: Map<string, Entry>, key: string): void {
  if (entries.delete(key)) removed.set(key, bump());
}
const startTtl = (id: string, ttlMs: number): NodeJS.Timeout => setTimeout(endSession, ttlMs, id);

/** The highest index below a prefix, tombstones too; the store's own when nothing was ever there. */
function indexOf(entries: Map<string, Entry>, prefix: string): number {
  let highest = 0;
  for (const [key, { modify }] of entries) if (key.startsWith(prefix)) highest = Math.max(highest, modify);
  for (const [key, at] of removed) if (key.startsWith(prefix)) highest = Math.max(highest, at);
  return Math.max(1, (highest === 0 ? 1 : highest) - offset);
}

function setKey(entries: Map<string, Entry>, key: string, value: Buffer): void {
  const entry = entries.get(key);
  const modify = bump();
  if (entry === undefined) entries.set(key, { value, create: modify, modify, lock: 0, session: undefined });
  else Object.assign(entry, { value, modify });
}

interface Ask {
  readonly entries: Map<string, Entry>;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly path: string;
  readonly method: string;
}

const shown = (key: string, { value, create, modify, lock, session }: Entry) => ({
  LockIndex: lock,
  Key: key,
  Flags: 0,
  Value: value.length === 0 ? null : value.toString('base64'),
  CreateIndex: create,
  ModifyIndex: modify,
  ...(session && { Session: session }),
});

async function readKeys({ entries, query, path }: Ask, response: ServerResponse): Promise<void> {
  const prefix = decodeURIComponent(path.slice('/v1/kv/'.length));
  const isTree = query.has('recurse') || query.has('keys');
  const asked = Number(query.get('index') ?? 0);
  if (asked > 0) {
    const end = Date.now() + Number.parseFloat(query.get('wait') ?? '300') * 1_000;
    while (indexOf(entries, prefix) === asked && Date.now() < end && !response.closed) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        const timer = setTimeout(resolve, Math.max(0, end - Date.now()));
        response.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
  const found = [...entries].filter(([key]) => (isTree ? key.startsWith(prefix) : key === prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  const answer = query.has('keys') ? found.map(([key]) => key) : found.map(([key, entry]) => shown(key, entry));
  response.setHeader('X-Consul-Index', indexOf(entries, prefix));
  reply(response, found.length === 0 ? 404 : 200, found.length === 0 ? '' : answer);
}

function putKey({ entries, query, path, body }: Ask, response: ServerResponse): void {
  const key = decodeURIComponent(path.slice('/v1/kv/'.length));
  if (body.length > 512 * 1024) return reply(response, 413, 'Value exceeds 524288 byte limit');
  const session = query.get('acquire');
  if (session === null) {
    setKey(entries, key, body);
    return reply(response, 200, true);
  }
  if (!sessions.has(session)) return reply(response, 500, `invalid session "${session}"`);
  const holder = entries.get(key)?.session;
  if (holder !== undefined && holder !== session) return reply(response, 200, false);
  setKey(entries, key, body);
  const entry = entries.get(key)!;
  Object.assign(entry, { session, lock: holder === session ? entry.lock : entry.lock + 1 });
  reply(response, 200, true);
}

interface Operation {
  readonly KV: { readonly Verb: string; readonly Key: string; readonly Value?: string; readonly Session?: string };
}

function transact({ entries, body }: Ask, response: ServerResponse): void {
  const operations = JSON.parse(body.toString()) as Operation[];
  if (operations.length > 64) return reply(response, 413, `Transaction contains too many operations (${operations.length} > 64)`);
  if (body.length > 512 * 1024) return reply(response, 413, 'Request body too large');
  const errors = operations.flatMap(({ KV: { Verb, Key, Session } }, OpIndex) => {
    if (Verb !== 'check-session') return [];
    return entries.get(Key)?.session === Session ? [] : [{ OpIndex, What: `failed to check session for "${Key}"` }];
  });
  if (errors.length > 0) return reply(response, 409, { Results: null, Errors: errors });
  for (const { KV } of operations) {
    if (KV.Verb === 'set') setKey(entries, KV.Key, Buffer.from(KV.Value ?? '', 'base64'));
    if (KV.Verb === 'delete') removeKey(entries, KV.Key);
  }
  reply(response, 200, { Results: [], Errors: null });
}

function session({ path, body }: Ask, response: ServerResponse): void {
  const [, , , verb, id = ''] = path.split('/');
  if (verb === 'create') {
    const { TTL = '0s', Behavior = 'release' } = JSON.parse(body.toString()) as { TTL?: string; Behavior?: string };
    const seconds = Number.parseFloat(TTL);
    if (seconds < 10 || seconds > 86_400) return reply(response, 400, `Invalid Session TTL '${seconds}', must be between [10s=24h0m0s]`);
    const ID = crypto.randomUUID();
    sessions.set(ID, { ttlMs: seconds * 1_000, deletes: Behavior === 'delete', timer: startTtl(ID, seconds * 1_000) });
    return reply(response, 200, { ID });
  }
  const known = sessions.get(id);
  if (verb === 'destroy') {
    endSession(id);
    return reply(response, 200, true);
  }
  if (known === undefined) return reply(response, 404, `Session id '${id}' not found`);
  clearTimeout(known.timer);
  known.timer = startTtl(id, known.ttlMs);
  reply(response, 200, [{ ID: id }]);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('Content-Type', typeof body === 'string' ? 'text/plain' : 'application/json');
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function command({ path, body }: Ask, response: ServerResponse): void {
  if (path === '/test/tokens') Object.assign(tokens, JSON.parse(body.toString()));
  if (path === '/test/rewind') {
    offset = index - 5;
    bump();
  }
  reply(response, 200, true);
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url!, 'http://consul');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const method = request.method!;
  const space = url.searchParams.get('ns') ?? 'default';
  let entries = spaces.get(space);
  if (entries === undefined) spaces.set(space, (entries = new Map()));
  const ask: Ask = { entries, query: url.searchParams, body: Buffer.concat(chunks), path: url.pathname, method };
  if (ask.path.startsWith('/test/')) return command(ask, response);
  const right = Object.keys(tokens).length === 0 ? 'write' : tokens[String(request.headers['x-consul-token'] ?? '')];
  const isWrite = method !== 'GET';
  if (right === undefined) return reply(response, 403, 'ACL not found');
  if (isWrite && right !== 'write') return reply(response, 403, "Permission denied: token lacks permission 'key:write'");
  if (ask.path === '/v1/txn') return transact(ask, response);
  if (ask.path.startsWith('/v1/session/')) return session(ask, response);
  if (ask.path.startsWith('/v1/kv/')) return method === 'GET' ? readKeys(ask, response) : putKey(ask, response);
  reply(response, 404, '');
}

const [port, key, cert] = process.argv.slice(2);
const listener = (request: IncomingMessage, response: ServerResponse): void => void handle(request, response);
const server = key === undefined ? createHttp(listener) : createHttps({ key, cert }, listener);
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
