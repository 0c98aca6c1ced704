import { errorText, statusResponse } from '../../base/body.ts';
import { formatDuration } from '../../base/duration.ts';
import { ConfigError } from '../../base/errors.ts';
import { duration, type Infer, integer, list, object, string } from '../../base/schema.ts';
import { clientTlsFields, readClientTls } from '../client-tls.ts';
import { waitFor } from '../client-wait.ts';
import { createSource, sourceCriterion } from '../ip-strategy.ts';
import { defineMiddleware, type MiddlewareContext, type RedisScripts } from '../middleware.ts';
import { createSourceTable } from '../source-table.ts';
import { BUCKET_COLUMNS, type BucketShape, takeToken, wholeNanoseconds } from '../token-bucket.ts';

const redis = object(
  {
    endpoints: list(string('host:port'), 'Servers of the store.', { default: ['localhost:6379'] }),
    tls: object(clientTlsFields, 'TLS towards the store.'),
    username: string('User.', { secret: true }),
    password: string('Password.', { secret: true }),
    db: integer('Number of the database.'),
    poolSize: integer('Connections to begin with.', {
      ignored: 'an agent keeps one connection, on which requests do not wait for each other.',
    }),
    minIdleConns: integer('Idle connections that are kept.', { ignored: 'an agent keeps one connection.' }),
    maxActiveConns: integer('Connections at most; 0 has no limit.', { ignored: 'an agent keeps one connection.' }),
    readTimeout: duration('When an answer is given up.', { default: 3_000 }),
    writeTimeout: duration('When a write is given up.', { default: 3_000 }),
    dialTimeout: duration('When connecting is given up.', { default: 5_000 }),
  },
  'Counts in Redis, together with other agents.',
);

const options = object(
  {
    average: integer('Requests a period; 0 has no limit.'),
    period: duration('The period.', { default: 1_000 }),
    burst: integer('Requests that may come at once.', { default: 1 }),
    sourceCriterion,
    redis,
  },
  'rateLimit',
);

export const rateLimit = defineMiddleware({
  kind: 'rateLimit',
  summary: 'Lets each source send so many requests a period (token bucket).',
  options,
  edge: 'it counts requests, and an isolate sees only its own',
  create(settings, context) {
    const { average = 0, period, sourceCriterion: criterion } = settings;
    if (period < 0) throw new ConfigError('config.bad-value', `'period' is ${formatDuration(period)}; write a time above zero, as 1s`);
    const sourceOf = createSource(criterion, 'address');
    if (average <= 0) return (request, next) => next(request);
    const shape = bucketShape(average, period || 1_000, settings.burst);
    const take = settings.redis === undefined ? takeHere(shape, context) : takeInRedis(shape, settings.redis, context);
    return async (request, next) => {
      let delayMs: number;
      try {
        delayMs = await take(sourceOf(request));
      } catch (error) {
        context.log.error('Could not insert/update bucket', { error });
        return errorText(500, 'Could not insert/update bucket');
      }
      if (delayMs > shape.maxDelayMs)
        return statusResponse(429, ['Retry-After', String(Math.ceil(delayMs / 1000)), 'X-Retry-In', formatDuration(delayMs)]);
      if (delayMs > 0 && !(await waitFor(request, delayMs, context.clock))) return errorText(500, 'context canceled');
      return next(request);
    };
  },
});

/** A request waits at most half the time that one token takes to come, and never more than half a second. */
function bucketShape(average: number, periodMs: number, burst: number): BucketShape {
  const perSecond = (average * 1000) / periodMs;
  return {
    rate: average / periodMs,
    burst: Math.max(1, burst),
    maxDelayMs: perSecond < 1 ? 500 : wholeNanoseconds(1000 / (2 * Math.floor(perSecond))),
  };
}

/** A bucket that is forgotten for want of room is full again. */
function takeHere(shape: BucketShape, context: MiddlewareContext): (source: string) => number {
  const buckets = createSourceTable(context, 'rateLimit', BUCKET_COLUMNS);
  return (source) => takeToken(buckets, source, context.clock.now(), shape);
}

/**
 * The same bucket in Redis, by its clock. Key and fields are Traefik's (`rate:<middleware>:<source>`, `last` in µs, `tokens`), so
 * that both count together while one replaces the other. Answers the wait in µs.
 */
const TAKE_TOKEN = `
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local rate, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local seen = redis.call('HMGET', KEYS[1], 'tokens', 'last')
local tokens = math.min(burst, (tonumber(seen[1]) or 0) + math.max(0, now - (tonumber(seen[2]) or 0)) * rate)
local wait = math.max(0, (1 - tokens) / rate)
if wait <= longest then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'last', string.format('%d', now), 'tokens', tostring(tokens))
redis.call('EXPIRE', KEYS[1], ARGV[4])
return tostring(wait)`;

function takeInRedis(
  { rate, burst, maxDelayMs }: BucketShape,
  settings: Infer<typeof redis>,
  { name, platform }: MiddlewareContext,
): (source: string) => Promise<number> {
  if (platform.redis === undefined)
    throw new ConfigError('config.unsupported', "'redis' is not available here; leave it out to count in memory");
  const { tls, ...others } = settings;
  const scripts: RedisScripts = platform.redis({ ...others, ...(tls && { tls: readClientTls(tls, 'redis.tls', platform) }) });
  const idleSeconds = Math.ceil(burst / rate / 1000) + 1;
  const args = [rate / 1000, burst, maxDelayMs * 1000, idleSeconds];
  return async (source) => Number(await scripts.evaluate(TAKE_TOKEN, [`rate:${name}:${source}`], args)) / 1000;
}
