import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPlan } from '../../../src/kv-sync/plan.ts';
import { createKeysFileTarget } from '../../../src/kv-sync/targets/keys-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgeway-keys-'));
  path = join(folder, 'keys.csv');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function apply(desired: Record<string, Record<string, string>>, prune = true): Promise<void> {
  const target = createKeysFileTarget(path, 'traefik');
  const entries = new Map(Object.entries(desired));
  await target.apply(createPlan((await target.read(entries, { prune })).entries, entries, { prune }));
}
const A = { 'http.routers.a': { 'http/routers/a/service': 's', 'http/routers/a/rule': 'Host(`a`)' } };

it('writes lines in the order of their keys, and leaves nothing beside the file', async () => {
  await apply(A);
  expect(readFileSync(path, 'utf8')).toBe('traefik/http/routers/a/rule,Host(`a`)\ntraefik/http/routers/a/service,s\n');
  expect(readdirSync(folder)).toEqual(['keys.csv']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it.each([
  [true, 'other/x,y\ntraefik/http/routers/a/rule,Host(`a`)\ntraefik/http/routers/a/service,s\n'],
  [false, 'other/x,y\ntraefik/http/routers/a/rule,Host(`a`)\ntraefik/http/routers/a/service,s\ntraefik/http/routers/old/rule,r\n'],
])('keeps keys of other roots, and old ones unless it prunes: %s', async (prune, text) => {
  writeFileSync(path, 'traefik/http/routers/old/rule,r\nother/x,y\n');
  await apply(A, prune);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

it('does not touch a file that it cannot read', async () => {
  writeFileSync(path, 'nonsense\n');
  await expect(apply(A)).rejects.toMatchObject({ place: { source: path, line: 1 } });
  expect(readFileSync(path, 'utf8')).toBe('nonsense\n');
});
