import { describe, expect, it } from 'vitest';
import { createDebug } from '../../../src/origin-agent/api/debug.ts';

const get = (path: string, method = 'GET') => new Request(`http://x${path}`, { method });

describe('createDebug', () => {
  const debug = createDebug('/');

  it.each<[string, string, number, RegExp]>([
    ['GET', '/debug/vars', 200, /"memstats"/],
    ['GET', '/debug/pprof/', 200, /profile/],
    ['GET', '/debug/pprof/cmdline', 200, /^edgeway\0agent$/],
    ['GET', '/debug/pprof/symbol', 200, /^num_symbols: 0\n$/],
    ['GET', '/debug/pprof/heap', 404, /^Unknown profile\n$/],
    ['POST', '/debug/pprof/', 405, /^$/],
  ])('%s %s → %i', async (method, path, status, text) => {
    const response = (await debug(get(path, method)))!;
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(text);
  });

  it.each(['/debug', '/debug/', '/debug/pprof', '/api/version', '/debugger/vars'])('has nothing at %s', (path) => {
    expect(debug(get(path))).toBeUndefined();
  });

  it('is below the base path only', async () => {
    const based = createDebug('/base');
    expect(based(get('/debug/vars'))).toBeUndefined();
    expect((await based(get('/base/debug/vars')))!.status).toBe(200);
  });

  it('makes one profile at a time, in the form that V8 knows', async () => {
    const [first, second] = await Promise.all([
      debug(get('/debug/pprof/profile?seconds=0.05'))!,
      debug(get('/debug/pprof/profile?seconds=0.05'))!,
    ]);
    expect([first.status, second.status]).toEqual([200, 500]);
    expect(await first.json()).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) });
  });
});
