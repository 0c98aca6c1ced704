import { UpstreamError } from '../base/errors.ts';
import type { ProxyRequest, ProxyResponse } from '../base/message.ts';
import type { MiddlewarePlatform } from './middleware.ts';
import { transformBody } from './transform-body.ts';

/**
 * Asks a server for gzip where the client said nothing (not for HEAD or ranges), as Go's client does. True when it did: then
 * the answer is to go through `unpackGzip`, since the client does not expect it.
 */
export function askForGzip(request: ProxyRequest, { decompressor }: MiddlewarePlatform): boolean {
  const { headers, method } = request;
  if (decompressor === undefined || method === 'HEAD' || headers.get('Accept-Encoding') || headers.get('Range')) return false;
  headers.set('Accept-Encoding', 'gzip');
  return true;
}

/** The answer without its gzip coding; of the length nothing is known then. */
export function unpackGzip(response: ProxyResponse, { decompressor }: MiddlewarePlatform): void {
  const { headers, body } = response;
  if (body === undefined || headers.get('Content-Encoding')?.toLowerCase() !== 'gzip') return;
  const transform = decompressor?.('gzip');
  if (transform === undefined) return;
  headers.delete('Content-Encoding');
  headers.delete('Content-Length');
  response.body = transformBody(body, {
    ...transform,
    write: (chunk) => readable(transform.write(chunk)),
    end: () => readable(transform.end()),
  });
}

async function readable(output: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await output;
  } catch (cause) {
    throw new UpstreamError('upstream.malformed', 'The server sent gzip that cannot be read', { cause });
  }
}
