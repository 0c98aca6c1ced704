import { describe, expect, it } from 'vitest';
import type { ContainerEffect } from '../../src/providers/docker-events.ts';
import { readService, readTask } from '../../src/providers/swarm-discovery.ts';
import { createTaskRegister } from '../../src/providers/swarm-register.ts';

const services = new Map([
  ['s', readService({ ID: 's', Spec: { Name: 'web', TaskTemplate: { ContainerSpec: { StopGracePeriod: 3e9 } } } })!],
]);
const task = (id: string, state = 'running') => readTask({ ID: id, ServiceID: 's', Status: { State: state } })!;
const event = (effect: ContainerEffect, id = 't') => ({ id: 'container', effect, task: id, time: 0 });

/** Ids, in brackets those that are stopping. */
const idsOf = (register: ReturnType<typeof createTaskRegister>) => register.tasks().map(({ id, draining }) => (draining ? `(${id})` : id));

function withTasks(...ids: string[]) {
  const register = createTaskRegister();
  register.update(
    ids.map((id) => task(id)),
    services,
    0,
  );
  return register;
}

describe('createTaskRegister', () => {
  it.each<[string, ContainerEffect, string, string[]]>([
    ['is told to stop', { kind: 'signal', signal: 15 }, 'at-once', ['(t)', 'u']],
    ['gets another signal', { kind: 'signal', signal: 1 }, 'nothing', ['t', 'u']],
    ['is ill', { kind: 'unhealthy' }, 'at-once', ['(t)', 'u']],
    ['has ended', { kind: 'stopped' }, 'at-once', ['u']],
    ['changes', { kind: 'changed' }, 'soon', ['t', 'u']],
  ])('knows at once of a task that %s', (_, effect, reaction, expected) => {
    const register = withTasks('t', 'u');
    expect(register.apply(event(effect), services, 0)).toBe(reaction);
    expect(idsOf(register)).toEqual(expected);
  });

  it('drains a task that is no longer wanted, until its grace period is over', () => {
    const register = withTasks('t', 'u');
    expect(register.update([task('u')], services, 1_000)).toBe(true);
    expect(idsOf(register)).toEqual(['u', '(t)']);
    expect(register.update([task('u')], services, 13_900)).toBe(false);
    expect(idsOf(register)).toEqual(['u', '(t)']);
    expect(register.update([task('u')], services, 14_000)).toBe(true);
    expect(idsOf(register)).toEqual(['u']);
  });

  it('drains no task that never ran, nor one whose service is gone', () => {
    const register = createTaskRegister();
    register.update([task('t', 'starting'), task('u')], services, 0);
    register.update([], services, 1);
    expect(idsOf(register)).toEqual(['(u)']);
    register.update([], new Map(), 2);
    expect(idsOf(register)).toEqual([]);
  });

  it('does not believe that a task runs whose container has ended', () => {
    const register = withTasks('t', 'u');
    register.apply(event({ kind: 'stopped' }), services, 0);
    register.update([task('t'), task('u')], services, 1);
    expect(idsOf(register)).toEqual(['u']);
  });

  it('uses a task again that outlived a signal', () => {
    const register = withTasks('t');
    register.apply(event({ kind: 'signal', signal: 15 }), services, 0);
    register.update([task('t')], services, 12_999);
    expect(idsOf(register)).toEqual(['(t)']);
    register.update([task('t')], services, 13_000);
    expect(idsOf(register)).toEqual(['t']);
  });

  it('is settled when all runs and nothing stops', () => {
    const register = withTasks('t');
    expect(register.settled()).toBe(true);
    register.update([task('t'), task('u', 'starting')], services, 1);
    expect(register.settled()).toBe(false);
    register.update([task('u')], services, 2);
    expect(register.settled()).toBe(false);
  });
});
