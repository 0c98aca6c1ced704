import { readFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { join } from 'node:path';
import { type ConsulToken, NODE, type StandInSettings } from './consul.ts';
import { callOf, type Recording } from './consul-tape.ts';
import { createConsulState, type Entry } from './fake-consul-state.ts';

/**
 * Consul's HTTP API as far as our client uses it, a process of its own: `node fake-consul-server.ts FOLDER` reads `settings.json`
 * there. A real one was recorded (test/vectors/consul/recorded.json); a test holds this against all of it, and a call that was
 * never recorded is refused. Not recorded, because the Community Edition has no such: namespaces (`isEnterprise`), by Consul's
 * documentation.
 */
const folder = process.argv[2]!;
const { port, tls, tokens, isEnterprise } = JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8')) as StandInSettings;
const recording = JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors/consul/recorded.json'), 'utf8')) as Recording;
const calls = new Set(Object.values(recording.scenes).flatMap((all) => all.map(({ request }) => callOf(request.method, request.path))));
/** Of a restore, which no client of ours asks for, but a test. */
calls.add('GET /v1/snapshot').add('PUT /v1/snapshot');

const state = createConsulState(join(folder, 'data.json'));
const accessors = new Map(tokens?.map(({ secret }) => [secret, crypto.randomUUID()]));
const LIMIT = 512 * 1024;
const MAX_OPERATIONS = 128;
const NAMESPACES = 'Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature';

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

interface Ask {
  readonly space: string;
  readonly path: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly right: Rights;
  readonly closed: AbortSignal;
}

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
}

/** What a token may, where there are any. */
interface Rights {
  may(right: 'read' | 'write', key: string): boolean;
  /** Throws Refusal. */
  demand(right: 'key:read' | 'key:write' | 'session:write', name: string): void;
  refusal(right: string, name: string): string;
  readonly isKnown: boolean;
}

function rightsOf(secret: string | undefined): Rights {
  const token: ConsulToken | undefined = tokens?.find((one) => one.secret === secret);
  if (tokens !== undefined && secret !== undefined && token === undefined) throw new Refusal(403, 'ACL not found');
  const who = token === undefined ? 'anonymous token' : `token with AccessorID '${accessors.get(token.secret)}'`;
  const tail = token === undefined ? '. The anonymous token is used implicitly when a request does not specify a token.' : '';
  const rights: Rights = {
    may(right, key) {
      if (tokens === undefined) return true;
      const rules = Object.entries(token?.keys ?? {}).filter(([prefix]) => key.startsWith(prefix));
      const [, policy] = rules.sort(([a], [b]) => b.length - a.length)[0] ?? [];
      return policy === 'write' || (policy === 'read' && right === 'read');
    },
    demand(right, name) {
      const isAllowed =
        right === 'session:write' ? tokens === undefined || token?.sessions : rights.may(right === 'key:read' ? 'read' : 'write', name);
      if (!isAllowed) throw new Refusal(403, rights.refusal(right, name));
    },
    refusal: (right, name) => `Permission denied: ${who} lacks permission '${right}' on "${name}"${tail}`,
    isKnown: token !== undefined,
  };
  return rights;
}

const indexed = (index: number, isFiltered = false): Reply => ({
  headers: {
    'x-consul-index': index,
    'x-consul-knownleader': 'true',
    'x-consul-lastcontact': 0,
    'x-consul-query-backend': 'blocking-query',
    ...(isFiltered && { 'x-consul-results-filtered-by-acls': 'true' }),
  },
});

const found = (index: number, entries: readonly unknown[], isFiltered = false): Reply => ({
  ...indexed(index, isFiltered),
  ...(entries.length > 0 ? { body: entries } : { status: 404 }),
});

async function readKeys(ask: Ask): Promise<Reply> {
  const { space, key, query, right, closed } = ask;
  if (!query.has('recurse') && !query.has('keys')) {
    right.demand('key:read', key);
    const entry = state.entry(space, key);
    return found(entry?.ModifyIndex ?? state.indexOf(space), entry === undefined ? [] : [entry]);
  }
  const asked = Number(query.get('index') ?? 0);
  const end = Date.now() + Number.parseFloat(query.get('wait') ?? '300') * 1_000 * (1 + Math.random() / 16);
  let reply = list(ask);
  while (asked > 0 && state.indexBelow(space, key) <= asked && Date.now() < end && !closed.aborted) {
    // A restored snapshot ends the wait with what was before it.
    if (await state.change(Math.max(1, end - Date.now()), closed)) break;
    reply = list(ask);
  }
  return reply;
}

function list({ space, key, query, right }: Ask): Reply {
  const all = state.below(space, key);
  const seen = all.filter(({ Key }) => right.may('read', Key));
  const shown = query.has('keys') ? firstFolders(seen, key, query.get('separator')) : seen;
  return found(state.indexBelow(space, key), shown, right.isKnown && seen.length < all.length);
}

function firstFolders(entries: readonly Entry[], prefix: string, separator: string | null): string[] {
  if (separator === null) return entries.map(({ Key }) => Key);
  const cut = (key: string): string => {
    const at = key.indexOf(separator, prefix.length);
    return at === -1 ? key : key.slice(0, at + separator.length);
  };
  return [...new Set(entries.map(({ Key }) => cut(Key)))];
}

function acquire({ space, key, query, body, right }: Ask): Reply {
  if (body.length > LIMIT) throw new Refusal(413, tooLarge(body.length, 'kv_max_value_size'));
  right.demand('key:write', key);
  const id = query.get('acquire')!;
  if (state.session(id) === undefined) throw new Refusal(500, `raft apply failed: invalid session "${id}"`);
  return { body: state.acquire(space, key, id, body.toString('base64')) };
}

const tooLarge = (bytes: number, setting: string): string =>
  `Request body(${bytes} bytes) too large, max size: ${LIMIT} bytes. See https://developer.hashicorp.com/docs/agent/config/config-files#${setting}.`;

interface Operation {
  readonly KV: { Verb: string; Key: string; Value?: string; Session?: string; Namespace?: string };
}

/** All or nothing, in the namespace that the operations name. */
function transact({ body, right }: Ask): Reply {
  if (body.length > LIMIT) throw new Refusal(413, tooLarge(body.length, 'txn_max_req_len'));
  const operations = parse<Operation[]>(body, 'Failed to parse body');
  if (operations.length > MAX_OPERATIONS)
    throw new Refusal(413, `Transaction contains too many operations (${operations.length} > ${MAX_OPERATIONS})`);
  const space = (isEnterprise && operations[0]?.KV.Namespace) || 'default';
  const complaints = [(one: Operation) => refusedBy(one, right), (one: Operation) => failingOf(space, one)];
  for (const complain of complaints) {
    const Errors = operations.map((one, OpIndex) => ({ OpIndex, What: complain(one) })).filter(({ What }) => What !== undefined);
    if (Errors.length > 0) return { status: 409, body: { Results: null, Errors } };
  }
  const changes = operations.filter(({ KV }) => KV.Verb !== 'check-session');
  state.write(
    space,
    changes.map(({ KV: { Verb, Key, Value } }) => ({ key: Key, value: Verb === 'delete' ? undefined : (Value ?? '') })),
  );
  const left = operations.filter(({ KV }) => KV.Verb !== 'delete');
  return { body: { Results: left.map(({ KV }) => ({ KV: { ...state.entry(space, KV.Key), Value: null } })), Errors: null } };
}

function refusedBy({ KV: { Verb, Key } }: Operation, right: Rights): string | undefined {
  if (Key === '') return 'Must provide key';
  const wanted = Verb === 'check-session' ? 'read' : 'write';
  return right.may(wanted, Key) ? undefined : right.refusal(`key:${wanted}`, Key);
}

function failingOf(space: string, { KV: { Verb, Key, Session } }: Operation): string | undefined {
  if (Verb !== 'check-session') return undefined;
  const entry = state.entry(space, Key);
  if (entry === undefined) return `failed to check session, key "${Key}" doesn't exist`;
  if (entry.Session === Session) return undefined;
  return `failed session check for key "${Key}", current session "${entry.Session ?? ''}" != "${Session}"`;
}

function handleSession({ path, body, right }: Ask): Reply {
  const [, , , verb, id = ''] = path.split('/');
  if (verb === 'list') {
    const { index, all } = state.sessions();
    return { ...indexed(index), body: all };
  }
  if (verb === 'create') {
    const { TTL, Behavior } = parse<{ TTL: string; Behavior: 'release' | 'delete' }>(body, 'Request decode failed');
    right.demand('session:write', NODE);
    const seconds = Number.parseFloat(TTL);
    if (seconds < 10 || seconds > 86_400) throw new Refusal(500, `Invalid Session TTL '${seconds * 1e9}', must be between [10s=24h0m0s]`);
    return { body: { ID: state.createSession(TTL, Behavior) } };
  }
  if (id === '') throw new Refusal(400, 'Missing session');
  const session = state.session(id);
  if (session !== undefined) right.demand('session:write', session.Node);
  if (verb === 'destroy') {
    state.destroySession(id);
    return { body: true };
  }
  if (session === undefined) throw new Refusal(404, `Session id '${id}' not found`);
  state.renew(id);
  return { body: [session] };
}

function parse<T>(body: Buffer, complaint: string): T {
  try {
    return JSON.parse(body.toString()) as T;
  } catch {
    throw new Refusal(400, `${complaint}: unexpected EOF`);
  }
}

function route(method: string, ask: Ask): Reply | Promise<Reply> {
  const { path, query, body } = ask;
  if (!calls.has(callOf(method, `${path}?${query}`)))
    throw new Refusal(501, `'${callOf(method, `${path}?${query}`)}' was never recorded; add it to consul-scenes.ts and record again`);
  if (path === '/v1/snapshot') {
    if (method === 'PUT') state.restore(body.toString());
    return { body: method === 'PUT' ? true : JSON.parse(state.save()) };
  }
  if (path === '/v1/txn') return transact(ask);
  if (query.has('ns') && !isEnterprise) throw new Refusal(400, NAMESPACES);
  if (path.startsWith('/v1/session/')) return handleSession(ask);
  return method === 'GET' ? readKeys(ask) : acquire(ask);
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname: path, searchParams: query } = new URL(request.url!, 'http://consul');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const closing = new AbortController();
  response.once('close', () => closing.abort());
  response.setHeader('vary', 'Accept-Encoding').setHeader('x-consul-default-acl-policy', tokens === undefined ? 'allow' : 'deny');
  try {
    const right = rightsOf(request.headers['x-consul-token'] as string | undefined);
    const key = decodeURIComponent(path.slice('/v1/kv/'.length));
    const space = query.get('ns') ?? 'default';
    const ask = { space, path, key, query, body: Buffer.concat(chunks), right, closed: closing.signal };
    const { status = 200, headers = {}, body } = await route(request.method!, ask);
    response.writeHead(status, { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) });
    response.end(body === undefined ? '' : JSON.stringify(body));
  } catch (error) {
    response.writeHead(error instanceof Refusal ? error.status : 500, { 'content-type': 'text/plain; charset=utf-8' });
    response.end((error as Error).message);
  }
}

const listener = (request: IncomingMessage, response: ServerResponse): void => void handle(request, response);
const server = tls === undefined ? createHttp(listener) : createHttps({ key: tls.key, cert: tls.certificate }, listener);
server.listen(port, '127.0.0.1', () => console.log('ready'));
