import { describe, expect, it } from 'vitest';
import { readContainerEvent } from '../../src/providers/docker-events.ts';

const container = (Action: string, Attributes: Record<string, string> = {}) => ({
  Type: 'container',
  Action,
  Actor: { ID: 'abc', Attributes },
});

describe('readContainerEvent', () => {
  it.each<[string, object, object]>([
    ['create', {}, { kind: 'changed' }],
    ['start', {}, { kind: 'started' }],
    ['kill', { signal: '15' }, { kind: 'signal', signal: 15 }],
    ['kill', {}, { kind: 'signal', signal: Number.NaN }],
    ['die', { exitCode: '0' }, { kind: 'stopped' }],
    ['died', {}, { kind: 'stopped' }],
    ['stop', {}, { kind: 'stopped' }],
    ['pause', {}, { kind: 'paused' }],
    ['unpause', {}, { kind: 'changed' }],
    ['rename', {}, { kind: 'changed' }],
    ['destroy', {}, { kind: 'removed' }],
    ['remove', {}, { kind: 'removed' }],
    ['health_status: healthy', {}, { kind: 'changed' }],
    ['health_status: unhealthy', {}, { kind: 'unhealthy' }],
    ['health_status', {}, { kind: 'changed' }],
  ])('%s %j', (action, attributes, effect) => {
    expect(readContainerEvent(container(action, attributes as Record<string, string>))).toMatchObject({ id: 'abc', effect });
  });

  it.each([
    [container('exec_create: wget -q')],
    [container('exec_start: wget -q')],
    [container('exec_die')],
    [container('attach')],
    [{ Type: 'image', Action: 'pull', Actor: { ID: 'abc' } }],
    [{ Type: 'container', Action: 'start' }],
    [{}],
  ])('passes over %j', (event) => {
    expect(readContainerEvent(event)).toBeUndefined();
  });

  it.each(['connect', 'disconnect'])('finds the container that a network is about: %s', (Action) => {
    const event = { Type: 'network', Action, Actor: { ID: 'net', Attributes: { container: 'abc', name: 'front' } } };
    expect(readContainerEvent(event)).toMatchObject({ id: 'abc', effect: { kind: 'moved' } });
  });

  it('reads the form of old engines', () => {
    expect(readContainerEvent({ status: 'die', id: 'abc', time: 1 })).toMatchObject({ id: 'abc', effect: { kind: 'stopped' } });
  });

  it('reads the task of a Swarm', () => {
    expect(readContainerEvent(container('die', { 'com.docker.swarm.task.id': 't1' }))!.task).toBe('t1');
  });
});
