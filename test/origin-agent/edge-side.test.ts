import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLocalCells } from '../../src/base/cells.ts';
import { createLogger, type LogLine } from '../../src/base/log.ts';
import { createCode } from '../../src/config/codes.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import type { RelayState } from '../../src/origin-agent/data-plane.ts';
import { type EdgeSide, startEdgeSide } from '../../src/origin-agent/edge-side.ts';
import { ADMIN_KEY, advanceUntil, createMemoryHub, type MemoryHub } from '../support/hub/memory-hub.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { runtimeOf } from '../support/runtime.ts';

let memory: MemoryHub;
let clock: ManualClock;
let folder: string;
let lines: LogLine[];
let relay: RelayState | undefined;
const sides: EdgeSide[] = [];

beforeEach(async () => {
  memory = await createMemoryHub();
  clock = createManualClock();
  folder = mkdtempSync(join(tmpdir(), 'edgeway-side-'));
  lines = [];
});
afterEach(async () => {
  for (const side of sides.splice(0)) await side.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(site: string): Promise<EdgeSide> {
  const code = await createCode(ADMIN_KEY, { purpose: 'enrol', now: memory.clock.now(), lifetimeMs: 60_000 });
  const { edge } = loadStatic({
    arguments: [
      '--entryPoints.web.address=:80',
      '--edge.hub.url=https://control.test',
      '--edge.entryPoints.web=http',
      `--edge.relay.publicUrl=https://${site}.example.com`,
      `--edge.site=${site}`,
      `--edge.code=${code}`,
      `--edge.stateDirectory=${site}`,
    ],
    environment: {},
    readFile: () => undefined,
  }).configuration!;
  const side = (await startEdgeSide({
    edge,
    cwd: folder,
    cells: createLocalCells(),
    clock,
    log: createLogger((line) => lines.push(line), 'DEBUG'),
    onRelayState: (state) => void (relay = state),
    fetch: memory.fetch,
  }))!;
  sides.push(side);
  side.begin();
  return side;
}
const app = (host: string, more = '') =>
  runtimeOf(`
http:
  routers: { app: { rule: "Host(\`${host}\`)", service: app } ${more} }
  services: { app: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
`);
const rules = () => Object.fromEntries(Object.entries(memory.snapshot().http.routers).map(([name, { rule }]) => [name, rule]));
const published = () => lines.filter(({ message }) => message === 'Published').length;

it('tells the hub nothing while a copy stands in for a provider, not even what is older than what others say', async () => {
  const berlin = await start('berlin');
  berlin.update(app('old.test'), false);
  await advanceUntil(clock, () => published() === 1);
  const paris = await start('paris');
  paris.update(app('new.test'), false);
  await advanceUntil(clock, () => published() === 2);
  await memory.advance(5_000);
  await berlin.close();
  const before = rules();
  expect(Object.values(before)).toContain('Host(`new.test`)');

  const again = await start('berlin');
  again.update(app('older.test', ', gone: { rule: "Host(`gone.test`)", service: app }'), true);
  await clock.advance(60_000);
  await memory.advance(5_000);
  expect(published()).toBe(2);
  expect(rules()).toEqual(before);
  expect(lines.filter(({ message }) => message === 'Nothing is published until every provider can be read')).toHaveLength(1);
  // What the edge sends on is served meanwhile.
  expect(relay!.published).toContain('service app@file');
  expect(relay!.grantKeys).not.toEqual([]);

  again.update(app('old.test', ', more: { rule: "Host(`more.test`)", service: app }'), false);
  await advanceUntil(clock, () => published() === 3);
  await memory.advance(5_000);
  expect(Object.values(rules())).toContain('Host(`more.test`)');
  expect(Object.values(rules())).not.toContain('Host(`gone.test`)');
});
