import { createMerger, type Say } from '../../src/config/merge.ts';
import { loadStatic } from '../../src/config/static-sources.ts';

/** Times of the merge: all routers at first, one that changed, nothing that changed. CPU time, as the machine is shared. */
export function bench(): void {
  console.log(`merge: for comparison, a Map of 200,000 new texts takes ${measure(fillMap)} ms`);
  for (const count of [100, 10_000, 100_000]) {
    for (const [title, flags] of [
      ['plain', []],
      ['split by a TLS entry point', ['--entrypoints.websecure.http.tls=true']],
    ] as const) {
      const { configuration } = loadStatic({
        arguments: ['--entrypoints.web.address=:80', '--entrypoints.websecure.address=:443', ...flags],
        environment: {},
        readFile: () => undefined,
      });
      const { merge } = createMerger(configuration!);
      const says = [say(count), say(count, 'Host(`changed.test`)'), say(count, 'Host(`changed.test`)')];
      const [first, changed, same] = says.map((one) => measure(() => merge(one)));
      console.log(
        `merge ${String(count).padStart(7)} routers, ${title}: first ${first} ms, one changed ${changed} ms, none changed ${same} ms`,
      );
    }
  }
}

function fillMap(): void {
  const map = new Map<string, object>();
  for (let i = 0; i < 200_000; i++) map.set(`r${i}@docker`, { i });
}

function measure(task: () => unknown): number {
  const before = process.cpuUsage();
  task();
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / 1000);
}

/** A provider's whole say, of new objects as a provider makes them. */
function say(count: number, rule?: string): ReadonlyMap<string, Say> {
  const routers: Record<string, object> = {};
  const services: Record<string, object> = {};
  for (let i = 0; i < count; i++) {
    routers[`r${i}`] = {
      rule: rule !== undefined && i === 5 ? rule : `Host(\`h${i}.example.com\`) && PathPrefix(\`/${i % 7}\`)`,
      service: `s${i}`,
    };
    services[`s${i}`] = {
      loadBalancer: {
        servers: [{ url: `http://10.0.0.1:8${i % 1000}` }],
        strategy: 'wrr',
        passHostHeader: true,
        responseForwarding: { flushInterval: 100 },
      },
    };
  }
  return new Map([['docker', { configuration: { http: { routers, services } } as Say['configuration'] }]]);
}
