import { expect, it } from 'vitest';
import type { ZooKeeperSession } from '../../../src/providers/clients/zookeeper-session.ts';
import { writeNodes } from '../../../src/providers/clients/zookeeper-write.ts';

/** Nodes that are there, and what is asked. */
function sessionOf(...there: string[]) {
  const asked: string[] = [];
  const made: string[] = [];
  const transaction = {
    check: () => transaction,
    create: (path: string) => void made.push(path),
    setData: (path: string) => void made.push(`${path} again`),
    remove: (path: string) => void made.push(`${path} goes`),
  };
  const session = {
    acl: [],
    transaction: () => transaction,
    stat: async (path: string) => {
      asked.push(path);
      return there.includes(path) ? { dataLength: 0 } : undefined;
    },
    commit: async () => true,
  } as unknown as ZooKeeperSession;
  return { session, asked, made };
}

it.each<[string, string[], string[], string[]]>([
  [
    'nothing below a node that is not there',
    ['/t'],
    ['/t', '/t/http'],
    ['/t/http', '/t/http/a', '/t/http/a/rule', '/t/http/a/s', '/t/http/b', '/t/http/b/rule'],
  ],
  [
    'children of what is there',
    ['/t', '/t/http', '/t/http/a'],
    ['/t', '/t/http', '/t/http/a', '/t/http/b', '/t/http/a/rule', '/t/http/a/s'],
    ['/t/http/a/rule', '/t/http/a/s', '/t/http/b', '/t/http/b/rule'],
  ],
])('asks for %s, each once', async (_, there, questions, nodes) => {
  const { session, asked, made } = sessionOf(...there);
  const changes = ['t/http/a/rule', 't/http/a/s', 't/http/b/rule'].map((key) => ({ key, value: 'x' }));
  await writeNodes(session, changes, '/lock');
  expect(asked.sort()).toEqual(questions.sort());
  expect(made).toEqual(nodes);
});
