import { expect, it } from 'vitest';
import { parse, readRollOut, readTargets, readWait } from '../../../src/cli/sync/options.ts';

const read = (line: string, env: Record<string, string> = {}) => {
  const { values, positionals } = parse(line.split(' '));
  return readTargets(positionals, values, env);
};

it.each([
  ['a.csv redis://x', ['a.csv'], { kind: 'store', url: 'redis://x' }],
  ['a.csv b.yml rediss://x', ['a.csv', 'b.yml'], { kind: 'store', url: 'rediss://x' }],
  ['redis://x etcd://y', ['redis://x'], { kind: 'store', url: 'etcd://y' }],
  ['redis://x --to zookeeper://y', ['redis://x'], { kind: 'store', url: 'zookeeper://y' }],
  ['redis://x --to-file k.csv', ['redis://x'], { kind: 'file', path: 'k.csv' }],
  ['a.yml --to edge', ['a.yml'], { kind: 'edge' }],
  ['redis://x', ['redis://x'], { kind: 'store', url: 'redis://env' }],
  ['- --to redis://x', ['-'], { kind: 'store', url: 'redis://x' }],
] as const)('reads %s', (line, sources, target) => {
  expect(read(line, { EDGEWAY_SYNC_TO: 'redis://env' })).toEqual({ sources, target });
});

it.each([
  ['', 60_000],
  ['--wait 2m', 120_000],
  ['--no-wait', 0],
])('waits as long as %j says', (line, ms) => expect(readWait(parse(line === '' ? [] : line.split(' ')).values)).toBe(ms));

it.each([
  ['--roll-out all', { nodes: 'all', pauseMs: 10_000, limitMs: 60_000 }],
  ['--roll-out a,b --roll-out-pause 1s --roll-out-limit 5m', { nodes: ['a', 'b'], pauseMs: 1_000, limitMs: 300_000 }],
])('reads %s', (line, expected) => expect(readRollOut(parse(line.split(' ')).values)).toEqual(expected));

it.each([
  ['a.csv --to-file x --roll-out all', '--roll-out wants a store'],
  ['a.csv redis://x --roll-out all --watch', '--roll-out is for one revision'],
])('refuses %s', (line, message) => expect(() => read(line)).toThrow(message));
