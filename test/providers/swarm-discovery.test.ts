import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../../scripts/vectors/swarm.ts';
import { readDockerSettings, readSwarmSettings } from '../../src/providers/docker-labels.ts';
import { discoverTasks, readService, readSwarmNetworks, readTask, type SwarmState } from '../../src/providers/swarm-discovery.ts';

const service = (changes: object = {}, spec: object = {}) =>
  readService({
    ID: 's',
    Spec: { Name: 'web', Labels: {}, EndpointSpec: { Mode: 'vip' }, TaskTemplate: {}, ...spec },
    Endpoint: { VirtualIPs: [{ NetworkID: 'n', Addr: '10.0.1.1/24' }] },
    ...changes,
  })!;
const task = (id: string, changes: object = {}) =>
  readTask({
    ID: id,
    ServiceID: 's',
    Slot: 1,
    NodeID: 'node',
    Status: { State: 'running' },
    NetworksAttachments: [{ Network: { ID: 'n' }, Addresses: ['10.0.1.5/24'] }],
    ...changes,
  })!;
const state = (changes: Partial<SwarmState> = {}): SwarmState => ({
  services: [service()],
  tasks: [task('t')],
  networks: readSwarmNetworks([{ Id: 'n', Name: 'front' }]),
  nodes: new Set(['node']),
  ...changes,
});
const settingsOf = (labels: Readonly<Record<string, string>>) => readSwarmSettings(labels, { exposedByDefault: true });
const LBSWARM = { Labels: { 'traefik.swarm.lbswarm': 'true' } };

describe('the Swarm provider', () => {
  it('answers what Traefik answers', async () => {
    const outcome = await run(fileURLToPath(new URL('../vectors/swarm', import.meta.url)));
    expect(outcome.different).toEqual([]);
    expect(outcome.equal).toBeGreaterThanOrEqual(50);
  });
});

describe('readService', () => {
  it('reads how it stops and whether it is being updated', () => {
    const container = { ContainerSpec: { StopSignal: 'SIGUSR1', StopGracePeriod: 3_000_000_000 } };
    expect(service({ UpdateStatus: { State: 'updating' } }, { TaskTemplate: container })).toMatchObject({
      graceMs: 3_000,
      stopSignals: new Set([2, 3, 9, 10, 15]),
      updating: true,
    });
    expect(service()).toMatchObject({ graceMs: 10_000, updating: false });
  });

  it.each([[null], [{}], [{ ID: 'a' }], [{ Spec: { Name: 'a' } }]])('makes nothing of %j', (answer) => {
    expect(readService(answer)).toBeUndefined();
    expect(readTask(answer)).toBeUndefined();
  });
});

describe('discoverTasks', () => {
  it.each<[string, Partial<SwarmState>, object[]]>([
    ['a task', {}, [{ id: 't', name: 'web.1' }]],
    ['a task of a global service', { services: [service({}, { Mode: { Global: {} } })] }, [{ name: 'web.t' }]],
    ['no task of another service', { tasks: [task('t', { ServiceID: 'x' })] }, []],
    ['no task that has yet to start', { tasks: [task('t', { Status: { State: 'starting' } })] }, []],
    ['a task that is stopping', { tasks: [{ ...task('t'), draining: true }] }, [{ id: 't', draining: true }]],
    ['no task on a node that is gone', { tasks: [task('t', { NodeID: 'gone' })] }, []],
    ['a task where the nodes are not told', { tasks: [task('t', { NodeID: 'any' })], nodes: undefined }, [{ id: 't' }]],
    ['no task without a network of the Swarm', { networks: new Map() }, []],
    ['the service itself', { services: [service({}, LBSWARM)], tasks: [] }, [{ id: 's', name: 'web' }]],
    [
      'tasks where there is no virtual address',
      { services: [service({}, { ...LBSWARM, EndpointSpec: { Mode: 'dnsrr' } })] },
      [{ id: 't' }],
    ],
  ])('finds %s', (_, changes, expected) => {
    expect(discoverTasks(state(changes), settingsOf).containers).toMatchObject(expected);
  });

  it('tells of a service whose labels are wrong, and finds the others', () => {
    const bad = service({ ID: 'b' }, { Name: 'bad', Labels: { 'traefik.swarm.nope': 'x' } });
    const { containers, problems } = discoverTasks(state({ services: [bad, service()] }), settingsOf);
    expect(containers).toHaveLength(1);
    expect(problems[0]!.place.source).toBe('bad');
  });

  it('shares the labels of a service among its tasks, so that they are decoded once', () => {
    const { containers } = discoverTasks(state({ tasks: [task('t'), task('u')] }), (labels) =>
      readDockerSettings(labels, { exposedByDefault: true }),
    );
    expect(containers[0]!.labels).toBe(containers[1]!.labels);
  });
});
