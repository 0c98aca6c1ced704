import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../../scripts/vectors/docker.ts';
import { buildConfiguration } from '../../src/providers/docker-configuration.ts';
import type { DiscoveredContainer } from '../../src/providers/docker-container.ts';
import { readDockerSettings } from '../../src/providers/docker-labels.ts';
import { createLabelReader, type LabelReaderOptions } from '../../src/providers/docker-reader.ts';
import { containerOf } from '../support/container.ts';

const DEFAULTS = { exposedByDefault: true, defaultRule: 'Host(`{{ normalize .Name }}`)' };

const build = (containers: Partial<DiscoveredContainer>[], options: Partial<LabelReaderOptions> = {}) =>
  buildConfiguration(createLabelReader({ ...DEFAULTS, ...options }, readDockerSettings), {
    containers: containers.map(containerOf),
    find: () => undefined,
    hostAddress: '127.0.0.1',
  });

/** What the labels of one container make. */
const ofLabels = (labels: Record<string, string>) => build([{ labels }]);

describe('buildConfiguration', () => {
  it('answers what Traefik answers', async () => {
    const outcome = await run(fileURLToPath(new URL('../vectors/docker', import.meta.url)));
    expect(outcome.different).toEqual([]);
    expect(outcome.equal).toBeGreaterThanOrEqual(130);
  });

  it('fences the server of a container that stops, in all protocols', () => {
    const labels = {
      'traefik.http.services.h.loadbalancer.server.port': '80',
      'traefik.tcp.services.t.loadbalancer.server.port': '1',
      'traefik.udp.services.u.loadbalancer.server.port': '2',
    };
    const { http, tcp, udp } = build([{ labels, draining: true }]).configuration;
    expect(http!.services!.h!.loadBalancer!.servers).toEqual([{ url: 'http://172.18.0.2:80', fenced: true }]);
    expect(tcp!.services!.t!.loadBalancer!.servers).toEqual([{ address: '172.18.0.2:1', fenced: true }]);
    expect(udp!.services!.u!.loadBalancer!.servers).toEqual([{ address: '172.18.0.2:2', fenced: true }]);
  });

  describe('with labels that are wrong', () => {
    it('keeps the other objects of the container', () => {
      const { configuration, problems } = ofLabels({
        'traefik.http.routers.good.rule': 'Host(`good`)',
        'traefik.http.routers.bad.ruel': 'Host(`bad`)',
        'traefik.http.middlewares.m.addprefix.prefix': '/m',
      });
      expect(Object.keys(configuration.http!.routers!)).toEqual(['good']);
      expect(Object.keys(configuration.http!.middlewares!)).toEqual(['m']);
      expect(configuration.http!.routers!.good!.service).toBe('web');
      expect(problems.map(({ message, place }) => [message, place])).toEqual([
        [expect.stringContaining("did you mean 'rule'?"), { source: 'web: traefik.http.routers.bad.ruel', object: 'http.routers.bad' }],
      ]);
    });

    it('makes no router that nobody asked for', () => {
      const { configuration, problems } = ofLabels({ 'traefik.http.routers.web.middlewars': 'auth' });
      expect(configuration).toEqual({});
      expect(problems).toHaveLength(1);
    });

    it('never links a router to another service than the one that is wrong', () => {
      const { configuration } = ofLabels({
        'traefik.http.routers.r.rule': 'Host(`r`)',
        'traefik.http.services.s.loadbalancer.server.weight': 'heavy',
      });
      expect(configuration.http!.routers!.r!.service).toBe('s');
      expect(configuration.http!.services).toBeUndefined();
      const { problems } = ofLabels({
        'traefik.http.routers.r.rule': 'Host(`r`)',
        'traefik.http.services.s.loadbalancer.server.weight': 'heavy',
        'traefik.http.services.t.loadbalancer.server.port': '1',
      });
      expect(problems.map(({ message }) => message)).toContainEqual(expect.stringContaining('there are several (t, s)'));
    });

    it('leaves out a container whose own labels cannot be understood', () => {
      const { configuration, problems } = build([
        { name: 'bad', labels: { 'traefik.enable': 'ture' } },
        { id: 'b', name: 'good' },
      ]);
      expect(Object.keys(configuration.http!.routers!)).toEqual(['good']);
      expect(problems[0]!.place.source).toBe('bad');
    });
  });

  it('leaves out a container with a megabyte of labels, unless they are of others', () => {
    const note = 'x'.repeat(2 << 20);
    const { configuration, problems } = build([
      { id: 'a', name: 'big', labels: { 'traefik.http.routers.r.rule': note } },
      { id: 'b', name: 'wordy', labels: { 'com.example.note': note } },
    ]);
    expect(Object.keys(configuration.http!.routers!)).toEqual(['wordy']);
    expect(problems[0]!.message).toContain('at most 1048576 are read');
  });

  it('needs no port of a container that only routes to others', () => {
    const labels = { 'traefik.http.routers.api.rule': 'Host(`a`)', 'traefik.http.routers.api.service': 'api@internal' };
    const { configuration, problems } = build([{ labels, ports: [] }]);
    expect(configuration.http).toEqual({ routers: { api: { rule: 'Host(`a`)', service: 'api@internal' } } });
    expect(problems).toEqual([]);
  });

  it('lets one bad service of a container alone', () => {
    const { configuration, problems } = build([
      {
        ports: [],
        labels: {
          'traefik.http.routers.r.rule': 'Host(`r`)',
          'traefik.http.routers.r.service': 's',
          'traefik.http.services.s.loadbalancer.server.port': '1',
          'traefik.http.services.t.loadbalancer.passhostheader': 'true',
        },
      },
    ]);
    expect(Object.keys(configuration.http!.services!)).toEqual(['s']);
    expect(problems[0]!.place.object).toBe('http.services.t');
  });

  it('reads labels of ours beside those of Traefik', () => {
    const { configuration, problems } = ofLabels({
      'traefik.http.routers.r.rule': 'Host(`r`)',
      'edgeway.http.routers.r.edge.local': 'true',
      'edgeway.http.services.web.edge.direct': 'true',
    });
    expect(problems).toEqual([]);
    expect(configuration.http!.routers!.r).toMatchObject({ rule: 'Host(`r`)', edge: { local: true }, service: 'web' });
    expect(configuration.http!.services!.web).toMatchObject({ edge: { direct: true }, loadBalancer: { servers: [{}] } });
  });

  it('makes services of other kinds, which have no server', () => {
    const { configuration } = ofLabels({
      'traefik.http.routers.r.rule': 'Host(`r`)',
      'traefik.http.routers.r.service': 'both',
      'traefik.http.services.both.weighted.services[0].name': 'a@file',
      'traefik.http.services.both.weighted.services[1].name': 'web',
      'traefik.http.services.web.loadbalancer.server.port': '80',
    });
    expect(configuration.http!.services!.both!.weighted!.services).toMatchObject([{ name: 'a@file' }, { name: 'web' }]);
    expect(configuration.http!.services!.web!.loadBalancer!.servers).toEqual([{ url: 'http://172.18.0.2:80' }]);
  });

  it.each([
    ['a wrong constraint', { constraints: 'Label(`a`' }, /The constraints of the provider are wrong/],
    ['a wrong expression in one', { constraints: '!LabelRegex(`a`, `(`)' }, /The constraints of the provider are wrong/],
  ])('takes no container with %s', (_, options, message) => {
    const { configuration, problems } = build([{}], options);
    expect(configuration).toEqual({});
    expect(problems[0]!.message).toMatch(message);
  });

  it('joins a thousand containers of one service', () => {
    const labels = { 'traefik.http.routers.r.rule': 'Host(`r`)', 'traefik.http.services.s.loadbalancer.server.port': '80' };
    const many = Array.from({ length: 1_000 }, (_, i) => ({
      id: String(i),
      labels: { ...labels },
      networks: new Map([['n', { address: `10.0.${i >> 8}.${i & 255}` }]]),
    }));
    build(many);
    const startedAt = performance.now();
    const { configuration } = build(many);
    expect(configuration.http!.services!.s!.loadBalancer!.servers).toHaveLength(1_000);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
