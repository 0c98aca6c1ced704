import { expect, it } from 'vitest';
import type { ZooKeeperSession } from '../../../src/providers/clients/zookeeper-session.ts';
import { readTree } from '../../../src/providers/clients/zookeeper-tree.ts';

/** A tree as ZooKeeper has it, and how many questions are asked. */
function sessionOf(pairs: Readonly<Record<string, string>>) {
  const nodes = new Map<string, { data: string; names: Set<string> }>();
  const nodeAt = (path: string) => nodes.get(path) ?? nodes.set(path, { data: '', names: new Set() }).get(path)!;
  for (const [path, data] of Object.entries(pairs)) {
    const parts = path.split('/');
    for (let length = 1; length < parts.length; length++) nodeAt(parts.slice(0, length).join('/')).names.add(parts[length]!);
    nodeAt(path).data = data;
  }
  let questions = 0;
  const session = {
    async node(path: string) {
      questions++;
      const node = nodes.get(path);
      return node && { data: node.data, hasChildren: node.names.size > 0 };
    },
    async children(path: string) {
      questions++;
      return nodes.has(path) ? [...nodes.get(path)!.names] : undefined;
    },
    async list(path: string) {
      questions++;
      const node = nodes.get(path);
      return node && { names: [...node.names], hasData: node.data !== '' };
    },
  } as unknown as ZooKeeperSession;
  return { session, nodes, questions: () => questions };
}

it('asks about once for each node, whatever it is', async () => {
  const pairs = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [
      [`/t/http/routers/r${i}/rule`, `${i}`],
      [`/t/http/services/s${i}/loadBalancer/servers/0/url`, `${i}`],
    ]).flat() as [string, string][],
  );
  const { session, nodes, questions } = sessionOf(pairs);
  const read = await readTree(session, 't/');
  expect(Object.fromEntries(read.map(([key, value]) => [`/${key}`, value]))).toEqual(pairs);
  // Until the first of a kind is known, others of it are on their way.
  expect(questions()).toBeLessThan(1.2 * nodes.size);
});

it.each<[string, Record<string, string>]>([
  ['a leaf where its siblings are folders', { '/t/a/x': '1', '/t/b/x': '2', '/t/c': '3', '/t/d/x': '4' }],
  ['a folder where its siblings are leaves', { '/t/a': '1', '/t/b': '2', '/t/c/x': '3', '/t/d': '4' }],
  ['a folder with data of its own', { '/t/a/x': '1', '/t/b/x': '2', '/t/c': 'own', '/t/c/x': '3' }],
  ['an empty leaf among folders', { '/t/a/x': '1', '/t/b/x': '2', '/t/c': '' }],
])('reads %s', async (_, pairs) => {
  const read = await readTree(sessionOf(pairs).session, 't/');
  expect(Object.fromEntries(read.map(([key, value]) => [`/${key}`, value]))).toEqual(pairs);
});
