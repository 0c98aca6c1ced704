import { ConfigError, describe } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { dynamicConfiguration } from '../config/dynamic.ts';
import type { Inbox } from '../providers/provider.ts';
import { readPut } from '../providers/rest.ts';
import { notFound, plainError } from './api/answers.ts';
import { show } from './api/show.ts';

/** A hundred thousand routers take a third of it. */
const MAX_BYTES = 64 * 1024 * 1024;

/** `rest@internal`: takes a whole configuration as JSON, and says what it understood, secrets as `***`. */
export function createRestService(inbox: Inbox, log: Logger): (request: Request) => Promise<Response> {
  return async (request) => {
    const [, provider] = /^\/api\/providers\/([^/]+)$/.exec(new URL(request.url).pathname) ?? [];
    if (provider === undefined) return notFound();
    if (request.method !== 'PUT') return new Response(null, { status: 405 });
    if (provider !== 'rest') return plainError(400, `Only 'rest' takes configurations, '${provider}' does not`);
    try {
      const message = await readPut(await readBody(request));
      inbox.put(message);
      return new Response(JSON.stringify(show(dynamicConfiguration, message.configuration)), {
        headers: { 'Content-Type': 'application/json; charset=UTF-8' },
      });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.error('A configuration was refused', { providerName: 'rest', error: describe(error) });
      return plainError(error.code === 'config.limit' ? 413 : 400, describe(error));
    }
  };
}

async function readBody(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new ConfigError('config.limit', `The body has more than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
