import { describe, expect, it } from 'vitest';
import { type Listed, listAnswer } from '../../../src/origin-agent/api/listing.ts';

const router = (name: string, status: string, priority: number | bigint, service: string, middlewares: string[] = []): Listed => ({
  shown: { name },
  name,
  status,
  searched: [`Host(\`${name}\`)`, name],
  service,
  middlewares,
  order: { priority, status, service },
});
const ALL = [
  router('c@file', 'enabled', 7, 'web', ['auth@file']),
  router('a@file', 'disabled', 2n ** 63n - 1n, 'web@docker'),
  router('b@file', 'warning', 7, 'api@file'),
];

describe('listAnswer', () => {
  it.each<[string, string[], string]>([
    ['', ['a@file', 'b@file', 'c@file'], '1'],
    ['direction=desc', ['c@file', 'b@file', 'a@file'], '1'],
    ['sortBy=priority', ['b@file', 'c@file', 'a@file'], '1'],
    ['sortBy=priority&direction=desc', ['a@file', 'c@file', 'b@file'], '1'],
    ['sortBy=status', ['a@file', 'c@file', 'b@file'], '1'],
    ['sortBy=nothing', ['a@file', 'b@file', 'c@file'], '1'],
    ['status=WARNING', ['b@file'], '1'],
    ['search=HOST(`B', ['b@file'], '1'],
    ['search=zzz', [], '1'],
    ['serviceName=web@docker', ['a@file', 'c@file'], '1'],
    ['serviceName=web@file', ['c@file'], '1'],
    ['middlewareName=auth@file', ['c@file'], '1'],
    ['per_page=2', ['a@file', 'b@file'], '2'],
    ['per_page=2&page=2', ['c@file'], '1'],
    ['status=none&page=1', [], '1'],
  ])('%s', async (query, names, next) => {
    const response = listAnswer(ALL, new URLSearchParams(query));
    expect(((await response.json()) as { name: string }[]).map(({ name }) => name)).toEqual(names);
    expect(response.headers.get('X-Next-Page')).toBe(next);
  });

  it.each([
    ['page=3&per_page=2', 'invalid request: page: 3, per_page: 2'],
    ['per_page=0', 'invalid request: per_page: 0'],
    ['per_page=x', 'invalid request: per_page: 0'],
    ['page=-4', 'invalid request: page: -4'],
  ])('%s is refused', async (query, message) => {
    const response = listAnswer(ALL, new URLSearchParams(query));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ message });
  });
});
