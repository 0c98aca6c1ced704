import { ConfigError, UpstreamError } from '../../base/errors.ts';
import { type Body, finishMark, finishSince, type ProxyRequest, type ProxyResponse } from '../../base/message.ts';
import { boolean, duration, type Infer, integer, list, object, string } from '../../base/schema.ts';
import { waitFor } from '../client-wait.ts';
import { defineMiddleware } from '../middleware.ts';
import { copyRequest, takeReplayable } from '../replay.ts';
import { createStatusTest } from '../status-ranges.ts';

const options = object(
  {
    attempts: integer('Tries at most, the first among them. Required.'),
    timeout: duration('No try begins later than this after the first; 0 has no limit.'),
    initialInterval: duration('Wait before the second try; it grows up to twice this. 0 tries at once.'),
    maxRequestBodyBytes: integer('Requests with a longer body are not tried again by status; -1 has no limit.', {
      default: 2 * 1024 * 1024,
    }),
    status: list(string('A status (404) or a range (500-599).'), 'Statuses that are tried again.'),
    disableRetryOnNetworkError: boolean('Tries again by status only.'),
    retryNonIdempotentMethod: boolean('Tries POST, PATCH and LOCK again by status too.'),
  },
  'retry',
);

/** Methods that may do something twice. */
const NON_IDEMPOTENT = new Set(['POST', 'PATCH', 'LOCK']);

export const retry = defineMiddleware({
  kind: 'retry',
  summary: 'Tries a request again where no server took it, or where its answer has certain statuses.',
  options,
  edge: true,
  create(settings, context) {
    const { attempts = 0, timeout = 0, retryNonIdempotentMethod = false } = settings;
    check(settings);
    const hasStatus = settings.status !== undefined && settings.status.length > 0 ? createStatusTest(settings.status, 'status') : undefined;
    const delay = createBackoff(settings, context.random);
    if (attempts === 1) return (request, next) => next(request);
    return async (request, next) => {
      const start = context.clock.now();
      let byStatus = retryNonIdempotentMethod || !NON_IDEMPOTENT.has(request.method) ? hasStatus : undefined;
      let bodyOf = (): Body | undefined => request.body;
      if (byStatus !== undefined && request.body !== undefined) {
        const taken = await takeReplayable(request.body, settings.maxRequestBodyBytes);
        if ('replay' in taken) bodyOf = taken.replay;
        else {
          byStatus = undefined;
          bodyOf = () => taken.once;
        }
      }
      for (let attempt = 1; ; attempt++) {
        const last = attempt === attempts;
        const trial = copyRequest(request, bodyOf());
        // Interim answers of a try that may be thrown away are not for the client.
        if (!last) trial.interim = undefined;
        const mark = finishMark(request.facts);
        const response = await next(trial);
        if (last || (timeout > 0 && context.clock.now() - start >= timeout)) return response;
        if (!isUntouched(response, settings.disableRetryOnNetworkError) && !byStatus?.(response.status)) return response;
        response.body?.discard();
        finishSince(request.facts, mark);
        request.facts.retryAttempts++;
        context.log.debug('New attempt for a request', { attempt: attempt + 1 });
        await pause(request, delay(attempt));
      }
    };

    async function pause(request: ProxyRequest, ms: number): Promise<void> {
      if (ms > 0 && !(await waitFor(request, ms, context.clock)))
        throw new UpstreamError('upstream.aborted', 'The client went away', { sent: false });
    }
  },
});

function check({ attempts = 0, status = [], disableRetryOnNetworkError }: Infer<typeof options>): void {
  if (attempts <= 0)
    throw new ConfigError('config.bad-value', `'attempts' is ${attempts}; write how often a request is tried at most, as 3`);
  if (status.length === 0 && disableRetryOnNetworkError)
    throw new ConfigError('config.conflict', "nothing is left to try again: with 'disableRetryOnNetworkError' write 'status' too");
}

/** A server was asked for, and no byte of the request reached it (nor was the body opened). */
const isUntouched = ({ failure }: ProxyResponse, disabled: boolean | undefined): boolean =>
  failure !== undefined && !failure.sent && !disabled && failure.code !== 'upstream.unavailable' && failure.code !== 'upstream.aborted';

/** The interval doubles over all tries, give or take a half by chance. */
function createBackoff({ attempts = 0, initialInterval = 0 }: Infer<typeof options>, random: () => number): (attempt: number) => number {
  const factor = 2 ** (1 / (attempts - 1));
  return (attempt) => initialInterval * factor ** (attempt - 1) * (0.5 + random());
}
