import { describe, expect, it } from 'vitest';
import { isStoreUrl, parseStoreUrl } from '../../../src/providers/clients/store-url.ts';

describe('the URL of a store', () => {
  it.each<[url: string, kind: string, rootKey: string, options: object]>([
    ['redis://', 'redis', 'traefik', { endpoints: ['127.0.0.1:6379'] }],
    ['redis://cache', 'redis', 'traefik', { endpoints: ['cache:6379'] }],
    ['redis://cache:6380/2?rootKey=web', 'redis', 'web', { endpoints: ['cache:6380'], db: 2 }],
    ['redis://:p@ss@a,b:7000', 'redis', 'traefik', { endpoints: ['a:6379', 'b:7000'], password: 'p@ss' }],
    ['redis://u:p:q@[::1]:6379', 'redis', 'traefik', { endpoints: ['[::1]:6379'], username: 'u', password: 'p:q' }],
    ['rediss://cache', 'redis', 'traefik', { endpoints: ['cache:6379'], tls: { insecureSkipVerify: false } }],
    ['rediss://cache?tls.ca=/ca.pem&tls.insecureSkipVerify=true', 'redis', 'traefik', { tls: { ca: '/ca.pem', insecureSkipVerify: true } }],
    [
      'redis+sentinel://u:p@s1,s2:5000/main/1?sentinel.username=s&sentinel.password=t&sentinel.replicaStrategy=true',
      'redis',
      'traefik',
      {
        endpoints: ['s1:26379', 's2:5000'],
        username: 'u',
        password: 'p',
        db: 1,
        sentinel: { masterName: 'main', username: 's', password: 't', replicaStrategy: true },
      },
    ],
    ['etcd://a:2379,b', 'etcd', 'traefik', { endpoints: ['a:2379', 'b:2379'] }],
    ['etcds://u:p@a/web?tls.ca=ca.pem', 'etcd', 'web', { username: 'u', password: 'p', tls: { ca: 'ca.pem' } }],
    ['consul://a?token=t&namespaces=team', 'consul', 'traefik', { endpoints: ['a:8500'], token: 't', namespace: 'team' }],
    ['consuls://a', 'consul', 'traefik', { tls: { insecureSkipVerify: false } }],
    ['zookeeper://u:p@a,b:2182/web', 'zooKeeper', 'web', { endpoints: ['a:2181', 'b:2182'], username: 'u', password: 'p' }],
  ])('%s', (url, kind, rootKey, options) => {
    const parsed = parseStoreUrl(url);
    expect([parsed.kind, parsed.rootKey]).toEqual([kind, rootKey]);
    expect(parsed.options).toMatchObject(options);
    expect(isStoreUrl(url)).toBe(true);
  });

  it.each([
    ['reddis://x', "'reddis://' is no store; did you mean 'redis://'?"],
    ['http://x', "'http://' is no store; known are redis,"],
    ['consul://x?namespaces=a,b', 'namespaces names several'],
    ['etcd://x/a/b', 'has more in its path than etcd://…/rootKey'],
    ['redis://x/one', "'one'"],
    ['redis://x/0/1', 'has more in its path than redis://…/db'],
    ['redis://x?colour=red', 'colour'],
    ['redis://u:%@x', 'write %25'],
    ['redis://x#y', 'is not of the form redis://[user:password@]host:port'],
  ])('%s is refused', (url, message) => expect(() => parseStoreUrl(url)).toThrow(message));

  it.each(['redis://u:s3cr%zzet@x', 'redis://u:s3cret@x/0/1/2'])('never shows a password: %s', (url) => {
    expect(() => parseStoreUrl(url)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('s3cr') }));
  });

  it.each(['routes.kv', './redis:x', 'https://hub.example', 'tags.yml', '://'])('%s is none', (text) =>
    expect(isStoreUrl(text)).toBe(false),
  );
});
