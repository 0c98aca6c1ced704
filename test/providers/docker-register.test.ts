import { describe, expect, it } from 'vitest';
import type { ContainerEffect } from '../../src/providers/docker-events.ts';
import { createContainerRegister, DRAIN_LIMIT_MS } from '../../src/providers/docker-register.ts';
import { containerOf } from '../support/container.ts';

const event = (effect: ContainerEffect, id = 'abc') => ({ id, effect, task: '', time: 0 });

/** A register that knows one running container. */
function withContainer(changes: Parameters<typeof containerOf>[0] = {}) {
  const register = createContainerRegister();
  register.reset(['abc']);
  register.settle('abc', register.dirty().get('abc')!, containerOf(changes));
  return register;
}

describe('createContainerRegister', () => {
  it.each<[string, ContainerEffect, string, object]>([
    ['a signal that stops', { kind: 'signal', signal: 15 }, 'at-once', { status: 'running', draining: true }],
    ['an unknown signal', { kind: 'signal', signal: Number.NaN }, 'at-once', { draining: true }],
    ['its end', { kind: 'stopped' }, 'at-once', { status: 'exited' }],
    ['a pause', { kind: 'paused' }, 'at-once', { status: 'paused' }],
    ['illness', { kind: 'unhealthy' }, 'at-once', { health: 'unhealthy' }],
    ['a change', { kind: 'changed' }, 'soon', { status: 'running' }],
  ])('knows of %s at once', (_, effect, reaction, expected) => {
    const register = withContainer();
    expect(register.apply(event(effect), 0)).toBe(reaction);
    expect(register.containers()).toMatchObject([expected]);
  });

  it('passes over a signal that does not stop, unless the image says that it does', () => {
    expect(withContainer().apply(event({ kind: 'signal', signal: 28 }), 0)).toBe('nothing');
    const register = withContainer({ stopSignals: new Set([15, 28]) });
    expect(register.apply(event({ kind: 'signal', signal: 28 }), 0)).toBe('at-once');
  });

  it('knows that a container stops before it knows the container', () => {
    const register = createContainerRegister();
    register.apply(event({ kind: 'signal', signal: 15 }), 0);
    register.reset(['abc']);
    register.settle('abc', register.dirty().get('abc')!, containerOf());
    expect(register.containers()).toMatchObject([{ draining: true }]);
  });

  it('lets a container serve again that was started again, or outlived the signal', () => {
    const register = withContainer();
    register.apply(event({ kind: 'signal', signal: 15 }), 0);
    register.expireDrains(DRAIN_LIMIT_MS);
    expect(register.containers()[0]!.draining).toBe(true);
    register.expireDrains(DRAIN_LIMIT_MS + 1);
    expect(register.containers()[0]!.draining).toBeUndefined();
    register.apply(event({ kind: 'signal', signal: 15 }), 0);
    register.apply(event({ kind: 'started' }), 0);
    expect(register.containers()[0]!.draining).toBeUndefined();
  });

  it('looks at new networks of a container that runs, not of one that is just being started', () => {
    expect(withContainer().apply(event({ kind: 'moved' }), 0)).toBe('soon');
    expect(withContainer({ status: 'created' }).apply(event({ kind: 'moved' }), 0)).toBe('nothing');
    expect(createContainerRegister().apply(event({ kind: 'moved' }), 0)).toBe('soon');
  });

  it('does not believe a look that is older than an event', () => {
    const register = withContainer();
    register.apply(event({ kind: 'changed' }), 0);
    const [[id, taken]] = [...register.dirty()] as [[string, number]];
    register.apply(event({ kind: 'stopped' }), 0);
    register.settle(id, taken, containerOf({ status: 'running' }));
    expect(register.containers()).toMatchObject([{ status: 'exited' }]);
    expect(register.dirty().has(id)).toBe(true);
  });

  it('forgets what was removed, and what a new list does not have', () => {
    const register = withContainer();
    expect(register.apply(event({ kind: 'removed' }), 0)).toBe('at-once');
    expect(register.apply(event({ kind: 'removed' }), 0)).toBe('nothing');
    expect(register.containers()).toEqual([]);
    const other = withContainer();
    other.reset(['new']);
    expect(other.containers()).toEqual([]);
    expect([...other.dirty().keys()]).toEqual(['new']);
  });

  it('keeps what came while the list was on its way', () => {
    const register = createContainerRegister();
    register.apply(event({ kind: 'started' }, 'late'), 0);
    register.reset(['abc']);
    expect([...register.dirty().keys()].sort()).toEqual(['abc', 'late']);
  });

  it('keeps what it knows where a look finds nothing that can be read', () => {
    const register = withContainer();
    register.apply(event({ kind: 'changed' }), 0);
    register.settle('abc', register.dirty().get('abc')!, 'unknown');
    expect(register.containers()).toHaveLength(1);
    expect(register.dirty().size).toBe(0);
  });

  it('finds by id and name', () => {
    const register = withContainer();
    expect(register.find('abc')).toBe(register.find('web'));
    expect(register.find('nobody')).toBeUndefined();
  });
});
