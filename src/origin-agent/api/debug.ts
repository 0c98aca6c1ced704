import { Session } from 'node:inspector/promises';
import { resourceUsage } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { plainError } from './answers.ts';

/** Go's default, and a limit: while it runs the program is slower. */
const PROFILE_S = 30;
const MAX_PROFILE_S = 300;

/**
 * `api.debug`: what the program tells of itself, at Traefik's paths. Numbers are in Go's form where Node has them; the profile is
 * V8's, which Chrome and speedscope read. Neither flags nor anything from memory is shown: there may be secrets in them.
 * Undefined for paths that are none of these.
 */
export function createDebug(basePath: string): (request: Request) => Promise<Response> | undefined {
  const base = basePath.replace(/\/$/, '');
  let running = false;

  async function profile(seconds: number): Promise<Response> {
    if (running) return plainError(500, 'A profile is being made already');
    running = true;
    const session = new Session();
    try {
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await delay(seconds * 1000, undefined, { ref: false });
      const { profile: made } = await session.post('Profiler.stop');
      return new Response(JSON.stringify(made), {
        headers: { 'Content-Type': 'application/octet-stream', 'Content-Disposition': 'attachment; filename="profile.cpuprofile"' },
      });
    } finally {
      session.disconnect();
      running = false;
    }
  }

  return (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (!pathname.startsWith(`${base}/debug/`)) return undefined;
    const path = pathname.slice(base.length);
    const isKnown = path === '/debug/vars' || path.startsWith('/debug/pprof/');
    if (!isKnown) return undefined;
    if (request.method !== 'GET') return Promise.resolve(new Response(null, { status: 405 }));
    if (path === '/debug/vars') return Promise.resolve(variables());
    switch (path.slice('/debug/pprof/'.length)) {
      case '':
        return Promise.resolve(page());
      case 'cmdline':
        return Promise.resolve(text('edgeway\0agent'));
      case 'symbol':
        return Promise.resolve(text('num_symbols: 0\n'));
      case 'profile':
        return profile(readSeconds(searchParams.get('seconds')));
      default:
        return Promise.resolve(plainError(404, 'Unknown profile'));
    }
  };
}

function readSeconds(value: string | null): number {
  const seconds = Number(value);
  return value !== null && seconds > 0 ? Math.min(seconds, MAX_PROFILE_S) : PROFILE_S;
}

const text = (content: string): Response =>
  new Response(content, { headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' } });

function page(): Response {
  const body = `<!doctype html><title>/debug/pprof/</title><h1>/debug/pprof/</h1>
<p><a href="profile?seconds=10">profile</a>: where the control thread spends its time, as V8's .cpuprofile</p>
<p><a href="cmdline">cmdline</a> <a href="../vars">vars</a></p>
`;
  return new Response(body, { headers: { 'Content-Type': 'text/html; charset=utf-8', 'X-Content-Type-Options': 'nosniff' } });
}

/** `expvar`: those of Go's numbers that Node has too, and its own. */
function variables(): Response {
  const { heapUsed, heapTotal, rss, external } = process.memoryUsage();
  const { number_of_native_contexts: contexts, malloced_memory: malloced } = getHeapStatistics();
  const { userCPUTime, systemCPUTime, voluntaryContextSwitches, involuntaryContextSwitches } = resourceUsage();
  const values = {
    cmdline: ['edgeway', 'agent'],
    memstats: { Alloc: heapUsed, Sys: rss, HeapAlloc: heapUsed, HeapSys: heapTotal, HeapInuse: heapUsed, OtherSys: external + malloced },
    node: {
      version: process.version,
      uptimeSeconds: process.uptime(),
      contexts,
      userCpuMicroseconds: userCPUTime,
      systemCpuMicroseconds: systemCPUTime,
      voluntaryContextSwitches,
      involuntaryContextSwitches,
    },
  };
  return new Response(`${JSON.stringify(values, null, 2)}\n`, { headers: { 'Content-Type': 'application/json; charset=utf-8' } });
}
