import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRequest, type ProxyRequest } from '../../src/base/message.ts';
import { createRoutingView, type RoutingView } from '../../src/config/rule/routing-view.ts';
import { rulePriority } from '../../src/config/rule/rule.ts';
import { createRouteTable, type RouteEntry, type RouteTable } from '../../src/proxy/route-table.ts';

/** The least disturbed of some passes counts: other work on the machine only ever adds time. */
const PASSES = 5;

const SIZES = [10, 1_000, 100_000, 1_000_000];

/** Times of matching (view included), heap and changes, for growing numbers of routers under Zipf traffic. */
export async function bench(): Promise<void> {
  setFlagsFromString('--expose_gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const heap = (): number => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  measure(createRouteTable(createRouters(1000)), createRequests(1000, 50_000, 0));
  const tables = SIZES.map((count) => {
    const routers = createRouters(count);
    const before = heap();
    const start = performance.now();
    const table = createRouteTable(routers);
    const builtMs = performance.now() - start;
    return { routers, table, builtMs, bytes: (heap() - before) / count, passes: [] as Times[] };
  });
  // In turns, so that other work on the machine is the same to all.
  for (let pass = 0; pass < PASSES; pass++)
    for (const { routers, table, passes } of tables) passes.push(measure(table, createRequests(routers.length, 60_000, pass)));
  const small = best(tables[0]!.passes);
  for (const { routers, table, builtMs, bytes, passes } of tables) {
    const times = best(passes);
    console.log(
      `match ${String(routers.length).padStart(9)} routers: median ${times.medianNs} ns, p99 ${times.p99Ns} ns, mean ${times.meanNs} ns, ` +
        `ratio to 10 routers ${(times.medianNs / small.medianNs).toFixed(2)} (mean ${(times.meanNs / small.meanNs).toFixed(2)}), ` +
        `matched ${times.matchedPercent} %, heap a router ${Math.round(bytes)} B, built in ${Math.round(builtMs)} ms`,
    );
    if (routers.length >= 100_000) benchChanges(table, routers);
  }
}

/** Three routers a host, some of them less common; one in fifty has a wildcard, one in five hundred (and one of ten) no host. */
function createRouters(count: number): RouteEntry[] {
  return Array.from({ length: count }, (_, i) => {
    const rule = ruleOf(i, hostOf(Math.floor(i / 3)));
    return { name: `router-${i}@docker`, rule, ruleSyntax: 'v3', priority: rulePriority(rule), providerRank: 5 };
  });
}

const hostOf = (number: number): string => `app-${number}.team-${number % 97}.example.com`;

function ruleOf(i: number, host: string): string {
  if (i % 500 === 499 || i === 9) return `PathPrefix(\`/hostless/${i}\`)`;
  if (i % 50 === 49 || i === 8) return `Host(\`*.app-${i}.example.com\`)`;
  if (i % 30 === 29) return `(Host(\`${host}\`) || Host(\`www.${host}\`)) && Header(\`X-Canary\`, \`yes\`)`;
  if (i % 3 === 0) return `Host(\`${host}\`)`;
  return `Host(\`${host}\`) && ${i % 3 === 1 ? 'PathPrefix(`/api`)' : 'PathPrefix(`/static/assets`)'}`;
}

const PATHS = ['/', '/api/v1/users/42', '/static/assets/main.4f1c.js', '/index.html', '/api/search', '/some/longer/path/of/a/page'];

/** Each has strings of its own, as the head parser makes them: no hash is known before. */
function createRequests(routers: number, count: number, seed: number): ProxyRequest[] {
  const hosts = Math.max(1, Math.ceil(routers / 3));
  const next = random(seed + 7);
  const fresh = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
  const common = createRequest({ clientAddress: '203.0.113.7' });
  return Array.from({ length: count }, () => {
    const host = hostOf(zipf(next(), hosts));
    const path = PATHS[Math.floor(next() * PATHS.length)]!;
    return { ...common, host: fresh(next() < 0.02 ? 'unknown.example.org' : host), path: fresh(path) };
  });
}

/** Rank by Zipf's law with exponent 1: the inverse of its (continuous) distribution. */
const zipf = (uniform: number, size: number): number => Math.min(size - 1, Math.floor((size + 1) ** uniform) - 1);

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Times {
  readonly medianNs: number;
  readonly p99Ns: number;
  readonly meanNs: number;
  readonly matchedPercent: number;
}

const best = (passes: readonly Times[]): Times => {
  const least = (key: keyof Times): number => Math.min(...passes.map((times) => times[key]));
  return { medianNs: least('medianNs'), p99Ns: least('p99Ns'), meanNs: least('meanNs'), matchedPercent: least('matchedPercent') };
};

/** The clock's own cost (some 40 ns) is part of the median and p99, not of the mean. */
function measure(table: RouteTable<RouteEntry, RoutingView>, requests: ProxyRequest[]): Times {
  const half = requests.length >> 1;
  let matched = 0;
  const meanStart = performance.now();
  for (let i = 0; i < half; i++) if (table.match(createRoutingView(requests[i]!)) !== undefined) matched++;
  const meanNs = Math.round(((performance.now() - meanStart) * 1e6) / half);
  const times = new Float64Array(requests.length - half);
  for (let i = half; i < requests.length; i++) {
    const start = performance.now();
    const found = table.match(createRoutingView(requests[i]!));
    times[i - half] = performance.now() - start;
    if (found !== undefined) matched++;
  }
  times.sort();
  const at = (share: number): number => Math.round(times[Math.floor(times.length * share)]! * 1e6);
  return { medianNs: at(0.5), p99Ns: at(0.99), meanNs, matchedPercent: Math.round((100 * matched) / requests.length) };
}

function benchChanges(table: RouteTable<RouteEntry, RoutingView>, routers: RouteEntry[]): void {
  const next = random(3);
  let current = table;
  const times: number[] = [];
  let longestSliceMs = 0;
  for (let i = 0; i < 3000; i++) {
    const router = routers[Math.floor(next() * routers.length)]!;
    const start = performance.now();
    const steps = current.updateInSlices({ added: [{ ...router, rule: `${router.rule} ` }] });
    for (let sliceStart = start; ; ) {
      const step = steps.next();
      const now = performance.now();
      longestSliceMs = Math.max(longestSliceMs, now - sliceStart);
      sliceStart = now;
      if (!step.done) continue;
      current = step.value;
      break;
    }
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  console.log(
    `  one changed router of ${routers.length}: median ${(times[1500]! * 1000).toFixed(0)} µs, worst ${times.at(-1)!.toFixed(1)} ms, longest slice ${longestSliceMs.toFixed(2)} ms`,
  );
}

if (import.meta.main) await bench();
