import { createHash } from 'node:crypto';
import { createBackoff } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import { ConfigError, describe } from '../base/errors.ts';
import type { Infer } from '../base/schema.ts';
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
  sourceOf,
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
          if (message !== undefined) {
            inForce = message.configuration;
            yield message;
          }
        }
      } catch (error) {
        if (context.signal.aborted) break;
        pauseMs = Math.max(pauseMs, backoff.next());
        context.log.error('Provider failed, keeping its last good configuration', {
          error: describe(error),
          retryAfterMs: Math.round(pauseMs),
        });
        context.onFailure?.(error as Error);
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

/** Another query or another host may be another configuration; the query may hold a password, and is known by its hash. */
function sourceOf({ endpoint = '', headers = {} }: Infer<typeof http>): Readonly<Record<string, unknown>> {
  const search = URL.canParse(endpoint) ? new URL(endpoint).search : '';
  return {
    kind: 'http',
    endpoint: URL.canParse(endpoint) ? withoutSecrets(endpoint) : '',
    query: search && createHash('sha256').update(search).digest('base64url'),
    host: Object.entries(headers).find(([name]) => name.toLowerCase() === 'host')?.[1],
  };
}

/** What cannot be read at all leaves everything as it was: undefined when that is what was said before the agent was started. */
async function load(
  text: string,
  source: string,
  before: DynamicConfiguration | undefined,
  { log, onFailure }: ProviderContext,
): Promise<ProviderMessage | undefined> {
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
    if (before === undefined && onFailure?.(new Error(describe(error), { cause: error }))) return undefined;
    return { configuration: before ?? {}, problems: [error] };
  }
}
