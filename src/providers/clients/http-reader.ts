import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../base/clock.ts';

export interface HttpReaderOptions {
  readonly url: string;
  /** `Host` among them is the Host that is asked for. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ConnectionOptions;
  /** Milliseconds for the whole answer; 0 is without limit. */
  readonly timeoutMs: number;
  /** Negative is without limit. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** Reads a text from one address, over one connection while the other side keeps it. */
export interface HttpReader {
  /** Rejects with an Error that names neither header fields nor user and password. */
  read(signal: AbortSignal): Promise<string>;
  close(): void;
}

/** Go's client gives up after so many. */
const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Throws TypeError when the address is none. */
export function createHttpReader({ url, headers, tls, timeoutMs, maxBytes, clock }: HttpReaderOptions): HttpReader {
  const start = new URL(url);
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true, ...tls }) };

  /** Fields of ours go to the address of ours only: they may be a password. */
  async function follow(signal: AbortSignal): Promise<string> {
    let at = start;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await ask(at, at.origin === start.origin ? headers : {}, signal);
      const { location } = response.headers;
      if (location !== undefined && REDIRECTS.has(response.statusCode!)) {
        response.resume();
        at = new URL(location, at);
        continue;
      }
      if (response.statusCode === 200) return readText(response);
      response.resume();
      throw new Error(`the answer has status ${response.statusCode}, not 200`);
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirections`);
  }

  function ask(at: URL, fields: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
    const isTls = at.protocol === 'https:';
    if (!isTls && at.protocol !== 'http:') throw new Error(`'${at.protocol}' is not asked here, only http: and https:`);
    const auth = at.username === '' ? {} : { auth: `${decodeURIComponent(at.username)}:${decodeURIComponent(at.password)}` };
    const options = { agent: isTls ? agents.https : agents.http, headers: fields, signal, ...auth };
    return new Promise((resolve, reject) => {
      const outgoing = (isTls ? requestHttps : requestHttp)(at, options, resolve);
      outgoing.once('error', reject);
      outgoing.end();
    });
  }

  async function readText(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (maxBytes >= 0 && size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes (maxResponseBodySize)`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  return {
    async read(signal) {
      const timeout = new AbortController();
      const cancel = timeoutMs > 0 ? clock.after(timeoutMs, () => timeout.abort()) : () => {};
      try {
        return await follow(AbortSignal.any([signal, timeout.signal]));
      } catch (error) {
        if (timeout.signal.aborted) throw new Error(`no answer within ${timeoutMs} ms (pollTimeout)`);
        throw error;
      } finally {
        cancel();
      }
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}
