import { createBackoff } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import { ConfigError, describe } from '../base/errors.ts';
import { parseDocument } from '../config/document.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';
import { loadDynamic } from '../config/load.ts';
import { http } from '../config/static/http.ts';
import { readClientTls } from './clients/client-tls.ts';
import { createHttpReader } from './clients/http-reader.ts';
import { inlineFiles } from './inline-files.ts';
import { keepRefused } from './keep-refused.ts';
import { defineProvider, type ProviderContext, type ProviderMessage } from './provider.ts';

export const httpProvider = defineProvider({
  kind: 'http',
  suffix: 'http',
  summary: 'Asks an HTTP address for the configuration, as YAML or JSON, again and again.',
  options: http,
  async *watch(options, context) {
    const { endpoint = '', pollInterval } = options;
    if (endpoint === '')
      throw new ConfigError('config.missing', 'There is no address to ask; write https://…', { object: 'providers.http.endpoint' });
    if (pollInterval <= 0)
      throw new ConfigError('config.bad-value', 'The interval must be longer than 0; write 5s', { object: 'providers.http.pollInterval' });
    const reader = createHttpReader({
      url: endpoint,
      headers: options.headers ?? {},
      tls: options.tls === undefined ? {} : await readClientTls(options.tls),
      timeoutMs: options.pollTimeout,
      maxBytes: options.maxResponseBodySize,
      clock: context.clock,
    });
    const source = withoutSecrets(endpoint);
    const backoff = createBackoff({ firstMs: 500, limitMs: 60_000 });
    let last: string | undefined;
    let inForce: DynamicConfiguration | undefined;
    // Failures are waited out here: a fresh start would not know what was good before.
    while (!context.signal.aborted) {
      let pauseMs = pollInterval;
      try {
        const text = await reader.read(context.signal);
        backoff.reset();
        if (text !== last) {
          last = text;
          const message = await load(text, source, inForce, context);
          inForce = message.configuration;
          yield message;
        }
      } catch (error) {
        if (context.signal.aborted) break;
        pauseMs = Math.max(pauseMs, backoff.next());
        context.log.error('Provider failed, keeping its last good configuration', {
          error: describe(error),
          retryAfterMs: Math.round(pauseMs),
        });
      }
      await sleep(context.clock, pauseMs, context.signal);
    }
    reader.close();
  },
});

/** The address as places and logs name it: user, password and query may be secret. */
function withoutSecrets(endpoint: string): string {
  const { origin, pathname } = new URL(endpoint);
  return origin + pathname;
}

/** What cannot be read at all leaves everything as it was. */
async function load(
  text: string,
  source: string,
  before: DynamicConfiguration | undefined,
  { log }: ProviderContext,
): Promise<ProviderMessage> {
  try {
    const loaded = loadDynamic(parseDocument(text, 'yaml', source));
    const inlined = await inlineFiles(loaded.configuration, source);
    for (const warning of [...loaded.warnings, ...inlined.warnings]) log.warn('Configuration is odd', { reason: describe(warning) });
    return {
      configuration: keepRefused(inlined.configuration, loaded.refused, before),
      problems: [...loaded.problems, ...inlined.problems],
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { configuration: before ?? {}, problems: [error] };
  }
}
