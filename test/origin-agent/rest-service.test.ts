import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/log.ts';
import { createRestService } from '../../src/origin-agent/rest-service.ts';
import type { ProviderMessage } from '../../src/providers/provider.ts';

const dynamic = {
  http: {
    routers: { a: { rule: 'Host(`a`)', service: 's' } },
    middlewares: { guard: { basicAuth: { users: ['bob:planted-secret'] } } },
  },
};

function start() {
  const put: ProviderMessage[] = [];
  const lines: string[] = [];
  const inbox = { put: (message: ProviderMessage) => void put.push(message), messages: () => (async function* () {})() };
  const log = createLogger((line) => lines.push(JSON.stringify(line)), 'DEBUG');
  const service = createRestService(inbox, log);
  const send = (method: string, path: string, body?: string) =>
    service(new Request(`http://x${path}`, { method, ...(body !== undefined && { body }) }));
  return { put, lines, send };
}

describe('createRestService', () => {
  it('takes a configuration, and says what it understood without its secrets', async () => {
    const { put, send } = start();
    const response = await send('PUT', '/api/providers/rest', JSON.stringify(dynamic));
    expect([response.status, response.headers.get('Content-Type')]).toEqual([200, 'application/json; charset=UTF-8']);
    expect(await response.json()).toEqual({
      http: { routers: dynamic.http.routers, middlewares: { guard: { basicAuth: { users: ['***'] } } } },
    });
    expect(put[0]!.configuration.http?.middlewares?.guard).toMatchObject(dynamic.http.middlewares.guard);
  });

  it.each<[string, string, string | undefined, number, RegExp]>([
    ['PUT', '/api/providers/other', '{}', 400, /Only 'rest'/],
    ['PUT', '/api/providers/rest/x', '{}', 404, /not found/],
    ['GET', '/api/providers/rest', undefined, 405, /^$/],
    ['POST', '/api/providers/rest', '{}', 405, /^$/],
    ['PUT', '/api/providers/rest', '', 400, /empty/],
    [
      'PUT',
      '/api/providers/rest',
      '{"http":{"middlewares":{"m":{"basicAuth":{"users":["planted-secret"],"zzz":1}}}}}',
      400,
      /http\.middlewares\.m/,
    ],
    ['PUT', '/api/providers/rest', ' '.repeat(64 * 1024 * 1024 + 1), 413, /bytes/],
  ])('%s %s → takes nothing', async (method, path, body, status, text) => {
    const { put, lines, send } = start();
    const response = await send(method, path, body);
    expect(response.status).toBe(status);
    const said = await response.text();
    expect(said).toMatch(text);
    expect(put).toEqual([]);
    expect(lines.join() + said).not.toContain('planted-secret');
  });
});
