import { type Context, Hono } from 'hono';
import { decodeText } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { ConfigError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { type CodesRequest, type EnrolRequest, HUB_PATHS, HUB_TIME_FIELD, type PingRequest } from '../../config/hub-protocol.ts';
import type { Hub } from './hub.ts';
import type { SignedRequest } from './publishers.ts';
import { Refusal } from './refusal.ts';

/** Largest body: two shards. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_NAMES = 20_000;

/** HTTP of the hub: what publishers sign, what operators ask. */
export function createHubApp(hub: Hub, clock: Clock, log: Logger): Hono {
  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    c.res.headers.set(HUB_TIME_FIELD, String(clock.now()));
    c.res.headers.set('Cache-Control', 'no-store');
  });
  app.onError((error, c) => {
    const refusal = toRefusal(error, log);
    return c.json(refusal.body, refusal.status as 500);
  });
  app.notFound((c) => c.json(new Refusal('not-found', `There is no ${c.req.method} ${c.req.path}`).body, 404));

  app.get(HUB_PATHS.time, (c) => c.json({ now: clock.now() }));

  // Publishers.
  app.post(HUB_PATHS.enrol, async (c) => {
    const request = await readSigned(c.req.raw);
    return c.json(await hub.enrol(request, parseStranger<EnrolRequest>(request.body)));
  });
  app.get(HUB_PATHS.keys, async (c) => {
    await hub.authenticate(await readSigned(c.req.raw));
    return c.json(await hub.keys());
  });
  app.post(HUB_PATHS.ping, async (c) => {
    const request = await readSigned(c.req.raw);
    const publisher = await hub.authenticate(request);
    return c.json(await hub.ping(publisher, readNames(parseBody<PingRequest>(request.body).down)));
  });
  app.post(HUB_PATHS.shards, async (c) => {
    const request = await readSigned(c.req.raw);
    await hub.authenticate(request);
    await hub.upload(parseBody<Record<string, string>>(request.body));
    return c.json({});
  });
  app.put(HUB_PATHS.publication, async (c) => {
    const request = await readSigned(c.req.raw);
    const publisher = await hub.authenticate(request);
    return c.json(await hub.publish(publisher, parseBody(request.body)));
  });
  app.get(HUB_PATHS.publication, async (c) => {
    const publisher = await hub.authenticate(await readSigned(c.req.raw));
    return c.json({ manifest: hub.publication(publisher) ?? null });
  });
  app.get(`${HUB_PATHS.shards}/:hash`, async (c) => {
    await hub.authenticate(await readSigned(c.req.raw));
    return text(c, hub.shard(c.req.param('hash')));
  });
  app.get(`${HUB_PATHS.objects}/:hash`, async (c) => {
    await hub.authenticate(await readSigned(c.req.raw));
    return text(c, (await hub.readObject(c.req.param('hash'))) ?? undefined);
  });

  // Operators.
  app.post(HUB_PATHS.session, async (c) => {
    const { code, name } = parseStranger<{ code: string; name?: string }>(await readBody(c.req.raw));
    return c.json(await hub.openSession(String(code), String(name ?? 'operator').slice(0, 100)));
  });
  app.get(HUB_PATHS.status, async (c) => {
    await operator(c);
    return c.json(hub.status());
  });
  app.get(HUB_PATHS.history, async (c) => {
    await operator(c);
    return c.json(hub.history(readNumber(c.req.query('limit') ?? '50', 'limit')));
  });
  app.get(HUB_PATHS.diff, async (c) => {
    await operator(c);
    return c.json(await hub.diff(readNumber(c.req.query('from'), 'from'), readNumber(c.req.query('to'), 'to')));
  });
  app.post(HUB_PATHS.rollback, async (c) => {
    const who = await operator(c);
    const { revision } = parseBody<{ revision: number }>(await readBody(c.req.raw));
    return c.json(await hub.rollback(readNumber(String(revision), 'revision'), who));
  });
  app.post(HUB_PATHS.release, async (c) => c.json(await hub.release(await operator(c))));
  app.post(HUB_PATHS.codes, async (c) => {
    await operator(c);
    return c.json({ codes: await hub.codes(parseBody<CodesRequest>(await readBody(c.req.raw))) });
  });
  app.delete(`${HUB_PATHS.publishers}/:name`, async (c) => {
    const who = await operator(c);
    return c.json(await hub.removePublisher(c.req.param('name'), who));
  });

  const operator = (c: Context): Promise<string> => hub.checkSession(/^Bearer (.+)$/.exec(c.req.header('Authorization') ?? '')?.[1] ?? '');
  return app;
}

function toRefusal(error: unknown, log: Logger): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof ConfigError) return new Refusal(error.code === 'config.limit' ? 'limit' : 'malformed', error.message);
  log.error('The hub failed', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return new Refusal('internal', 'The hub failed; its log says how');
}

async function readSigned(request: Request): Promise<SignedRequest> {
  const { pathname, search } = new URL(request.url);
  return {
    method: request.method,
    path: pathname + search,
    authorization: request.headers.get('Authorization'),
    body: await readBody(request),
  };
}

async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = new Refusal('limit', `The body has more than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers.get('Content-Length') ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  if (request.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return body;
}

function parseBody<T>(body: Uint8Array): T {
  try {
    const value: unknown = JSON.parse(decodeText(body));
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Said below.
  }
  throw new Refusal('malformed', 'The body is no JSON object');
}

/** Of somebody whom nobody knows yet: what a code is like, is not told to those who have none. */
function parseStranger<T>(body: Uint8Array): T {
  try {
    return parseBody<T>(body);
  } catch {
    throw new Refusal('unauthorized', 'The body has no valid code');
  }
}

function readNames(value: unknown): string[] {
  const isList = Array.isArray(value) && value.length <= MAX_NAMES;
  if (!isList || !value.every((name) => typeof name === 'string' && name.length <= 512))
    throw new Refusal('malformed', 'down is no list of names');
  return value as string[];
}

function readNumber(value: string | undefined, name: string): number {
  if (value === undefined || !/^\d{1,15}$/.test(value)) throw new Refusal('malformed', `${name} is no number`);
  return Number(value);
}

function text(c: Context, value: string | undefined): Response {
  if (value === undefined) throw new Refusal('not-found', 'There is no such text');
  return c.text(value);
}
