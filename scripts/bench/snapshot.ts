import { join } from 'node:path';
import { bundleWorker, localWorker, startLocalEdge } from '../../src/cli/local-edge.ts';
import { type CompileInput, compileSnapshot } from '../../src/config/compile.ts';
import { MAX_ROUTERS, type PublicationObjects } from '../../src/config/publication.ts';
import { splitSnapshot } from '../../src/config/shards.ts';
import { canonicalJson } from '../../src/config/snapshot.ts';
import { workerdCpuMs } from '../support/workerd-process.ts';

const ROUTERS = 100_000;
const SHARD_BYTES = 256 * 1024;
const PARSES = 50;

/** CPU time of what stands between publications and a Worker that serves them: compile and cut at the hub, read in workerd. */
export async function bench(): Promise<void> {
  const inputs = Array.from({ length: ROUTERS / MAX_ROUTERS }, (_, index) => input(index, MAX_ROUTERS));
  const first = cpu(() => compileSnapshot(inputs));
  // A shard is judged once: what comes after, as when one publisher says something else, is the usual case.
  const { result: compiled, ...next } = cpu(() => compileSnapshot(inputs));
  const routers = Object.keys(compiled.snapshot.http.routers).length;
  console.log(
    `snapshot: ${routers} routers of ${inputs.length} publishers compile in ${told(first)} with the check of every object (at most 2000 ms), then in ${told(next)}`,
  );
  const before = process.cpuUsage();
  const { objects, pointerText } = await splitSnapshot({ ...compiled.snapshot, revision: 1 }, 0);
  const sizes = [...objects.values()].map((text) => text.length);
  console.log(
    `snapshot: cut into ${sizes.length} objects of ${Math.round(Math.max(...sizes) / 1024)} KiB at most in ${since(before)} ms CPU, pointer ${pointerText.length} B`,
  );
  await benchParse();
}

/** The slope between one reading and many leaves out what the request costs. */
async function benchParse(): Promise<void> {
  const text = shardText();
  const script = await bundleWorker(join(import.meta.dirname, 'support/parse-worker.ts'), { minify: true });
  const edge = await startLocalEdge({ workers: [localWorker({ name: 'parse', script, env: {}, durableObjects: [], ownSocket: true })] });
  try {
    const url = await edge.directUrl('parse');
    const ask = async (times: number): Promise<{ cpuMs: number; routers: string }> => {
      const start = workerdCpuMs();
      const routers = await (await fetch(`${url.origin}/?times=${times}`, { method: 'POST', body: text })).text();
      return { cpuMs: workerdCpuMs() - start, routers };
    };
    const first = await ask(1);
    await ask(PARSES);
    const [one, many] = [await ask(1), await ask(PARSES + 1)];
    console.log(
      `snapshot: a shard of ${Math.round(text.length / 1024)} KiB with ${one.routers} routers is read in workerd in ${((many.cpuMs - one.cpuMs) / PARSES).toFixed(2)} ms CPU ` +
        `(at most 10); the very first request of a new isolate takes ${first.cpuMs.toFixed(1)} ms with all that belongs to it`,
    );
  } finally {
    await edge.stop();
  }
}

/** Of as many routers as a shard has room for. */
function shardText(): string {
  const textOf = (routers: number): string => canonicalJson(compileSnapshot([input(0, routers)]).snapshot.http);
  return textOf(Math.floor((1000 * SHARD_BYTES) / textOf(1000).length));
}

const input = (index: number, routers: number): CompileInput => ({
  publisher: `agent-${index}`,
  link: { type: 'https', address: `https://agent-${index}.example.com` },
  shards: [publication(index, routers)],
  changedAt: () => 1,
});

function publication(index: number, routers: number): PublicationObjects {
  const objects = { routers: {}, services: {}, middlewares: {}, serversTransports: {} } as Record<string, Record<string, object>>;
  objects.middlewares!['strip@docker'] = { kind: 'stripPrefix', options: { prefixes: ['/api'] }, digest: 'd' };
  for (let i = 0; i < routers; i++) {
    const number = index * routers + i;
    objects.routers![`r${number}@docker`] = {
      config: {
        rule: `Host(\`app-${number}.team-${number % 97}.example.com\`) && PathPrefix(\`/api\`)`,
        service: `s${number}@docker`,
        middlewares: ['strip@docker'],
        entryPoints: ['https'],
        priority: 60,
      },
    };
    objects.services![`s${number}@docker`] = { config: {}, folded: { weight: 1, digest: `d${number}` } };
  }
  return objects as unknown as PublicationObjects;
}

interface Cost {
  readonly ms: number;
  /** Of all threads; the garbage collector has some of its own. */
  readonly cpuMs: number;
}

const told = ({ ms, cpuMs }: Cost): string => `${Math.round(ms)} ms (${cpuMs} ms CPU)`;

function cpu<T>(work: () => T): Cost & { result: T } {
  const before = process.cpuUsage();
  const start = performance.now();
  const result = work();
  return { result, ms: performance.now() - start, cpuMs: since(before) };
}

function since(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / 1000);
}
