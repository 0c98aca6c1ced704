import { decodeText } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { decode } from '../base/decode.ts';
import type { Logger } from '../base/log.ts';
import type { ProxyRequest, ProxyResponse } from '../base/message.ts';
import { accessLog } from '../config/static/observability.ts';
import { type AccessLogOptions, createAccessLogFormat, type WriteAccess } from '../proxy/access-log.ts';
import { LineBuffer } from '../proxy/line-buffer.ts';
import { contentLength } from './body.ts';
import { createCounters } from './counters.ts';
import type { Env } from './env.ts';
import { nativeResponse } from './rim.ts';

/** Tells of requests, where the operator switched that on: a line each, numbers of the isolate. */
export interface EdgeObserver {
  tell(request: ProxyRequest, response: ProxyResponse, waitUntil: (promise: Promise<unknown>) => void): void;
}

/** Undefined when nobody wants to know. */
export function createEdgeObserver(env: Env, clock: Clock, log: Logger): EdgeObserver | undefined {
  const write = createFormat(env.EDGEWAY_ACCESS_LOG, log);
  const counters = env.EDGEWAY_ANALYTICS && createCounters(env.EDGEWAY_ANALYTICS, clock);
  const line = new LineBuffer();
  if (write === undefined && counters === undefined) return undefined;
  let count = 0;
  return {
    tell(request, response, waitUntil) {
      const { observation } = request.facts;
      if (observation === undefined) return;
      const endedAt = clock.now();
      const outcome = { status: response.status, sentBytes: sizeOf(response) };
      if (observation.metrics) counters?.count({ request, observation, outcome, endedAt }, waitUntil);
      if (write?.(line, request, observation, outcome, endedAt, ++count)) console.log(decodeText(line.take()).trimEnd());
    },
  };
}

/** `true`, or the options of Traefik's `accessLog` as JSON. What is wrong with them is logged once; the request path goes on without. */
function createFormat(text: string | undefined, log: Logger): WriteAccess | undefined {
  const wanted = (text ?? '').trim();
  if (wanted === '' || wanted === 'false') return undefined;
  try {
    const { value, problems } = decode(accessLog, wanted === 'true' ? {} : JSON.parse(wanted), 'machine');
    if (problems.length > 0) throw new Error(problems.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '));
    return createAccessLogFormat({ ...(value as AccessLogOptions), format: 'json' });
  } catch (error) {
    log.error("EDGEWAY_ACCESS_LOG cannot be used; write true, or options of Traefik's accessLog as JSON", { error: String(error) });
    return undefined;
  }
}

/** As announced: the runtime tells nobody how much has left. */
function sizeOf({ body, headers }: ProxyResponse): number | undefined {
  if (body === undefined) return 0;
  const native = nativeResponse(headers);
  return body.length ?? (native === undefined ? undefined : contentLength(native.headers));
}
