import { describe, expect, it } from 'vitest';
import { createInbox } from '../../src/providers/inbox.ts';
import { readPut, restProvider } from '../../src/providers/rest.ts';
import { watch } from '../support/provider.ts';

const service = { loadBalancer: { servers: [{ url: 'http://127.0.0.1:1' }], healthCheck: { interval: 10 } } };

describe('readPut', () => {
  it('reads JSON, fills defaults in, and takes empty objects', async () => {
    const { configuration } = await readPut(JSON.stringify({ HTTP: { services: { s: service }, middlewares: {} } }));
    expect(configuration.http?.services?.s).toMatchObject({
      loadBalancer: { passHostHeader: true, healthCheck: { interval: 10_000 } },
    });
  });

  it.each([
    ['', /empty/],
    ['{', /not valid JSON/],
    ['[1]', /./],
    ['{"http":{"routers":[]}}', /http\.routers/],
    ['{"http":{"routers":{"a":{"rule":"x","entrypoint":"web"}}}}', /http\.routers\.a.*entrypoint/s],
    ['{"http":{"middlewares":{"m":{"basicAuth":{"users":"planted-secret-of-many-letters""}}}}}', /not valid JSON/],
  ])('refuses %j as a whole', async (text, message) => {
    const error = await readPut(text).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.name).toBe('ConfigError');
    expect(error?.message).toMatch(message);
    expect(error?.message).not.toContain('planted');
  });
});

describe('restProvider', () => {
  it('says what was put, the newest when nobody was reading', async () => {
    const inbox = createInbox();
    const message = (rule: string) => ({ configuration: { http: { routers: { a: { rule } } } }, problems: [] }) as never;
    inbox.put(message('one'));
    inbox.put(message('two'));
    const watched = watch((context) => restProvider.watch({}, { ...context, inbox }));
    await watched.waitFor(() => true);
    inbox.put(message('three'));
    await watched.waitFor(({ configuration }) => configuration.http?.routers?.a?.rule === 'three');
    await watched.stop();
    expect(watched.messages.map(({ configuration }) => configuration.http?.routers?.a?.rule)).toEqual(['two', 'three']);
  });
});
