import { statusResponse } from '../../base/body.ts';
import { ClientError, ConfigError } from '../../base/errors.ts';
import { finishMark, finishSince, type ProxyRequest, type ProxyResponse, whenFinished } from '../../base/message.ts';
import { boolean, type Infer, integer, object, string } from '../../base/schema.ts';
import { type BufferedBody, type BufferLimits, bufferBody } from '../buffered-body.ts';
import { defineMiddleware } from '../middleware.ts';
import { type Predicate, parsePredicate } from '../predicate.ts';
import { copyRequest } from '../replay.ts';

const DEFAULT_MEMORY_BYTES = 1_048_576;
const MAX_ATTEMPTS = 10;

const options = object(
  {
    maxRequestBodyBytes: integer('Larger requests get 413; 0 has no limit.'),
    memRequestBodyBytes: integer('Beyond this a request lies on disk; 1048576 when absent.'),
    maxResponseBodyBytes: integer('Larger responses become 500; 0 has no limit.'),
    memResponseBodyBytes: integer('Beyond this a response lies on disk; 1048576 when absent.'),
    retryExpression: string(
      'Tries again while it holds, at most 10 times: Attempts(), ResponseCode(), IsNetworkError(), RequestMethod() with < <= > >= == != && ||.',
    ),
    disableRequestBuffer: boolean('Passes requests on as they come.', { labels: false }),
    disableResponseBuffer: boolean('Passes responses on as they come.', { labels: false }),
  },
  'buffering',
);

export const buffering = defineMiddleware({
  kind: 'buffering',
  summary: 'Reads requests and responses whole before passing them on, limits their size and tries again.',
  options,
  edge: 'it holds whole bodies, beyond what an isolate has',
  create(settings, { platform }) {
    const limits = readLimits(settings);
    const { retryExpression = '', disableRequestBuffer = false, disableResponseBuffer = false } = settings;
    const retries = retryExpression === '' ? undefined : compile(retryExpression);
    return async (request, next) => {
      let held: BufferedBody | undefined;
      if (request.body !== undefined && !disableRequestBuffer) {
        const taken = await orTooLarge(() => bufferBody(request.body!, limits.request, platform));
        if (taken === 'too large') return statusResponse(413);
        held = taken;
      }
      // Only what is held can be sent again, or thrown away for another try.
      const again = request.body === undefined || held !== undefined ? retries : undefined;
      let response: ProxyResponse;
      try {
        response = disableResponseBuffer
          ? await next(copyRequest(request, openBody(held, request)))
          : await tryUntilWhole(request, held, next, again, (answer) => bufferResponse(request, answer, limits.response, platform));
      } catch (error) {
        held?.close();
        throw error;
      }
      if (held !== undefined) whenFinished(request.facts, held.close);
      return response;
    };
  },
});

type Next = (request: ProxyRequest) => Promise<ProxyResponse>;

async function tryUntilWhole(
  request: ProxyRequest,
  held: BufferedBody | undefined,
  next: Next,
  retries: Predicate<Attempt> | undefined,
  hold: (response: ProxyResponse) => Promise<ProxyResponse>,
): Promise<ProxyResponse> {
  for (let attempt = 1; ; attempt++) {
    const mark = finishMark(request.facts);
    const response = await hold(await next(copyRequest(request, openBody(held, request))));
    const { status } = response;
    if (status === 101 || attempt > MAX_ATTEMPTS || !retries?.({ attempt, status, method: request.method })) return response;
    response.body?.discard();
    finishSince(request.facts, mark);
    request.facts.retryAttempts++;
  }
}

/** An empty body that came in chunks is none. */
const openBody = (held: BufferedBody | undefined, { body }: ProxyRequest) =>
  held === undefined ? body : held.length === 0 ? undefined : held.open();

/** The response with its whole body, or 500 where that is too large. */
async function bufferResponse(
  request: ProxyRequest,
  response: ProxyResponse,
  limits: BufferLimits,
  platform: Parameters<typeof bufferBody>[2],
): Promise<ProxyResponse> {
  const { body, headers } = response;
  if (body === undefined) return response;
  const held = await orTooLarge(() => bufferBody(body, limits, platform));
  if (held === 'too large') return statusResponse(500);
  headers.set('Content-Length', String(held.length));
  response.body = held.open();
  whenFinished(request.facts, held.close);
  return response;
}

async function orTooLarge<T>(buffer: () => Promise<T>): Promise<T | 'too large'> {
  try {
    return await buffer();
  } catch (error) {
    if (error instanceof ClientError && error.code === 'client.too-large') return 'too large';
    throw error;
  }
}

function readLimits(settings: Infer<typeof options>): { request: BufferLimits; response: BufferLimits } {
  const of = (name: 'maxRequestBodyBytes' | 'memRequestBodyBytes' | 'maxResponseBodyBytes' | 'memResponseBodyBytes'): number => {
    const bytes = Number(settings[name] ?? 0);
    if (bytes < 0) throw new ConfigError('config.bad-value', `'${name}' is ${bytes}; write a number of bytes, or 0 for none`);
    return bytes;
  };
  return {
    request: { maxBytes: of('maxRequestBodyBytes'), memBytes: of('memRequestBodyBytes') || DEFAULT_MEMORY_BYTES },
    response: { maxBytes: of('maxResponseBodyBytes'), memBytes: of('memResponseBodyBytes') || DEFAULT_MEMORY_BYTES },
  };
}

interface Attempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly status: number;
  readonly method: string;
}

const compile = (expression: string): Predicate<Attempt> =>
  parsePredicate<Attempt>(
    expression,
    {
      Attempts: { parameters: [], returns: 'int', create: () => (at) => at.attempt },
      ResponseCode: { parameters: [], returns: 'int', create: () => (at) => at.status },
      RequestMethod: { parameters: [], returns: 'string', create: () => (at) => at.method },
      IsNetworkError: { parameters: [], returns: 'condition', create: () => (at) => at.status === 502 || at.status === 504 },
    },
    'retryExpression',
  );
