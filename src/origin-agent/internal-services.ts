import { textResponse } from '../base/body.ts';
import type { Cells } from '../base/cells.ts';
import { defaultsOf } from '../base/decode.ts';
import type { Handler } from '../base/message.ts';
import { serversTransport } from '../config/dynamic.ts';
import type { Platform, ServerTarget } from '../proxy/platform.ts';

/** Name of the cell that says 1 from the signal to stop on; `ping` answers with the terminating status then. */
export const TERMINATING = 'agent terminating';

export interface InternalServicesOptions {
  readonly controlSocket: string;
  readonly send: Platform['send'];
  readonly cells: Cells;
  readonly terminatingStatus?: number | undefined;
}

/** Services that are ours: `ping` and `noop` are answered here, all others by the control thread over its socket. */
export function createInternalServices({ controlSocket, send, cells, terminatingStatus = 503 }: InternalServicesOptions) {
  const terminating = cells.counter(TERMINATING);
  const target: ServerTarget = {
    url: `unix://${controlSocket}`,
    scheme: 'http',
    host: 'localhost',
    port: 0,
    transportName: 'default@internal',
    transport: defaultsOf(serversTransport),
  };
  const ping: Handler = async () => {
    const stopping = terminating.get() !== 0;
    return textResponse(stopping ? terminatingStatus : 200, stopping ? 'Service Unavailable' : 'OK');
  };
  const noop: Handler = async () => textResponse(418, '');
  return (name: string): Handler | undefined => {
    if (name === 'ping') return ping;
    if (name === 'noop') return noop;
    return async (request) => {
      const outgoing = { ...request, headers: request.headers.clone() };
      outgoing.headers.set(INTERNAL_SERVICE, name);
      return send(target, outgoing);
    };
  };
}

/** Header that tells the control thread which of its services is meant; a client's own is replaced. */
export const INTERNAL_SERVICE = 'Edgeway-Internal-Service';
