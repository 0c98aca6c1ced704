import { createBody, errorText } from '../../base/body.ts';
import { ClientError, ConfigError } from '../../base/errors.ts';
import { finishMark, finishSince, type ProxyRequest, type ProxyResponse } from '../../base/message.ts';
import { statusText } from '../../base/status-text.ts';
import type { Service, ServiceContext } from './service.ts';

export interface FailoverConfig {
  readonly service?: string;
  readonly fallback?: string;
  readonly errors?: { readonly status?: readonly string[]; readonly maxRequestBodyBytes?: number };
}

/** Goes to the fallback while the main service has no server, or (with `errors.status`) when it answers with such a status. */
export function createFailover(name: string, config: FailoverConfig, context: ServiceContext): Service {
  const main = context.service(config.service ?? '');
  const fallback = context.service(config.fallback ?? '');
  const isError = createStatusTest(config.errors?.status ?? [], name);
  const limit = config.errors?.maxRequestBodyBytes ?? -1;
  const replays = (config.errors?.status ?? []).length > 0;

  async function handle(request: ProxyRequest): Promise<ProxyResponse> {
    if (!main.available()) return fallback.available() ? fallback.handle(request) : errorText(503, statusText(503));
    if (!replays || request.upgrade !== undefined) return main.handle(request);
    let body: Uint8Array | undefined;
    try {
      body = await request.body?.bytes(limit < 0 ? Number.MAX_SAFE_INTEGER : limit);
    } catch (error) {
      if (error instanceof ClientError && error.status === 413) return errorText(413, 'Request body too large');
      throw error;
    }
    const copy = (): ProxyRequest => ({
      ...request,
      headers: request.headers.clone(),
      body: body === undefined ? undefined : createBody(body, request.body?.trailers()),
    });
    const mark = finishMark(request.facts);
    const response = await main.handle(copy());
    if (!isError(response.status)) return response;
    response.body?.discard();
    finishSince(request.facts, mark);
    return fallback.handle(copy());
  }

  return { handle, available: () => main.available() || fallback.available(), healthy: () => main.healthy() + fallback.healthy() };
}

/** `500`, `500-504`: a test over all of them. Throws ConfigError. */
export function createStatusTest(ranges: readonly string[], object: string): (status: number) => boolean {
  const parsed = ranges.map((range) => {
    const match = /^(\d{3})(?:-(\d{3}))?$/.exec(range);
    if (match === null) throw new ConfigError('config.bad-value', `'${range}' is no status; write 503 or 500-504`, { object });
    return [Number(match[1]), Number(match[2] ?? match[1])] as const;
  });
  return (status) => parsed.some(([from, to]) => status >= from && status <= to);
}
