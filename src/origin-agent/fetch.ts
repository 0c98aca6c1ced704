import { defaultsOf } from '../base/decode.ts';
import { ConfigError, UpstreamError } from '../base/errors.ts';
import { Cancellation, type ProxyResponse } from '../base/message.ts';
import { serversTransport } from '../config/dynamic.ts';
import type { FetchTransport } from '../middlewares/middleware.ts';
import type { Platform, ServerTarget } from '../proxy/platform.ts';
import { parseServer } from '../proxy/services/server.ts';

/** Requests to servers of no service: the URL gives server and target, the record method, headers and body. */
export function createFetch(send: Platform['send'], clock: Platform['clock']): Platform['fetch'] {
  return async (url, request, transport = {}) => {
    const { origin, pathname, search } = parseUrl(url);
    const { target, hostHeader } = parseServer({ url: origin }, url, toTransport(transport));
    const cancellation = new Cancellation();
    const stopFollowing = request.cancellation.onCancel(() => cancellation.cancel());
    let timedOut = false;
    const stopTimer =
      transport.timeoutMs === undefined
        ? () => {}
        : clock.after(transport.timeoutMs, () => {
            timedOut = true;
            cancellation.cancel();
          });
    try {
      return await sendTo(target, hostHeader, pathname, search, cancellation);
    } catch (error) {
      throw timedOut ? new UpstreamError('upstream.timeout', `No answer within ${transport.timeoutMs} ms`, { cause: error }) : error;
    } finally {
      stopTimer();
      stopFollowing();
    }

    function sendTo(server: ServerTarget, host: string, path: string, query: string, cancel: Cancellation): Promise<ProxyResponse> {
      return send(server, {
        ...request,
        host: request.host === '' ? host : request.host,
        path,
        query: query === '' ? undefined : query.slice(1),
        cancellation: cancel,
      });
    }
  };
}

function parseUrl(url: string): URL {
  if (!URL.canParse(url)) throw new ConfigError('config.bad-value', `'${url}' is no URL; write http://host:port/path`);
  return new URL(url);
}

function toTransport({ ca, cert, key, insecureSkipVerify }: FetchTransport): Pick<ServerTarget, 'transport' | 'transportName'> {
  const transport = {
    ...defaultsOf(serversTransport),
    ...(ca !== undefined && { rootCAs: [ca] }),
    ...(cert !== undefined && { certificates: [{ certFile: cert, keyFile: key ?? '' }] }),
    ...(insecureSkipVerify !== undefined && { insecureSkipVerify }),
  };
  return { transport, transportName: `fetch ${JSON.stringify([ca, cert, insecureSkipVerify])}` };
}
