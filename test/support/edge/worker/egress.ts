import { connect } from 'cloudflare:sockets';
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { EgressCommand, Report } from '../commands.ts';

interface EgressEnv {
  /** By `name:port`: address on this machine. Bindings of the name `TO <name:port>` lead there and keep the name for Host and SNI. */
  readonly ADDRESSES: Record<string, string>;
  readonly [binding: `TO ${string}`]: Fetcher;
}

const state = {
  waiting: 0,
  peakWaiting: 0,
  refuseAbove: Number.POSITIVE_INFINITY,
  seen: [] as { url: string; method: string }[],
};

/**
 * What stands between a Worker and the world in production: names only, failures as answers of Cloudflare's own, fields that it
 * adds or changes. `refuseAbove` makes it fail when more requests wait for their heads at once.
 */
export class Egress extends WorkerEntrypoint<EgressEnv> {
  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    state.seen.push({ url: request.url, method: request.method });
    if (/^(?:[\d.]+|\[.*\])$/.test(url.hostname)) return new Response('error code: 1003', { status: 403 });
    const name = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
    const to = this.env[`TO ${name}`];
    if (to === undefined) return cloudflareAnswer(530, 1016);
    if (!(await isListening(this.env.ADDRESSES[name]!))) return cloudflareAnswer(521);
    if (state.waiting >= state.refuseAbove) throw new Error('Too many requests wait for their heads');
    state.waiting++;
    state.peakWaiting = Math.max(state.peakWaiting, state.waiting);
    try {
      return await to.fetch(new Request(request, { headers: changed(request.headers) }));
    } catch (error) {
      return cloudflareAnswer(String(error).includes('internal error') ? 525 : 520);
    } finally {
      state.waiting--;
    }
  }
}

function changed(before: Headers): Headers {
  const headers = new Headers(before);
  headers.append('X-Forwarded-For', '198.51.100.99');
  headers.set('X-Forwarded-Proto', 'https');
  headers.set('CF-Connecting-IP', '2a06:98c0:3600::103');
  headers.set('CDN-Loop', 'cloudflare; subreqs=1');
  headers.set('CF-EW-Via', '15');
  headers.set('Accept-Encoding', 'br, gzip');
  return headers;
}

async function isListening(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await socket.opened;
    return true;
  } catch {
    return false;
  } finally {
    await socket.close().catch(() => {});
  }
}

const cloudflareAnswer = (status: number, code = status): Response =>
  new Response(`error code: ${code}`, { status, headers: { 'Content-Type': 'text/plain; charset=UTF-8', Server: 'cloudflare' } });

export function commandEgress({ refuseAbove, reset }: EgressCommand): Report['egress'] {
  if (refuseAbove !== undefined) state.refuseAbove = refuseAbove;
  const { peakWaiting, seen } = state;
  if (reset) Object.assign(state, { peakWaiting: 0, seen: [] });
  return { peakWaiting, seen };
}
