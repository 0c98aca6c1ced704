import { asJson, asText, type Json, signalNumber } from './docker-container.ts';

/**
 * What an event means for the container it names.
 * `signal`: somebody sent it a signal, and whether that stops it the container knows. `stopped`, `unhealthy`, `paused`: it must
 * get nothing new. `removed`: it is no more. `started`: it begins anew. `moved`: its networks changed. `changed`: it has to be looked
 * at.
 */
export type ContainerEffect =
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'stopped' | 'unhealthy' | 'paused' | 'removed' | 'started' | 'moved' | 'changed' };

export interface ContainerEvent {
  readonly id: string;
  readonly effect: ContainerEffect;
  /** The task it is of, in a Swarm; empty else. */
  readonly task: string;
  /** Milliseconds since the epoch, of the engine's clock; NaN when it does not say. */
  readonly time: number;
}

/** By the first word of the action. Podman says `remove` for `destroy` and `died` for `die` in some versions. */
const EFFECTS: Readonly<Record<string, Exclude<ContainerEffect['kind'], 'signal'>>> = {
  create: 'changed',
  start: 'started',
  unpause: 'changed',
  rename: 'changed',
  update: 'changed',
  pause: 'paused',
  stop: 'stopped',
  die: 'stopped',
  died: 'stopped',
  oom: 'changed',
  destroy: 'removed',
  remove: 'removed',
};

/** Undefined for what changes nothing: `exec_*` (three for each health probe), `attach`, `top`, images, volumes. */
export function readContainerEvent(event: Json): ContainerEvent | undefined {
  const type = asText(event.Type) || 'container';
  const action = asText(event.Action) || asText(event.status);
  const actor = asJson(event.Actor);
  const attributes = asJson(actor.Attributes);
  const task = asText(attributes['com.docker.swarm.task.id']);
  const time = typeof event.timeNano === 'number' ? event.timeNano / 1e6 : Number.NaN;
  if (type === 'network') {
    const id = asText(attributes.container);
    return id !== '' && (action === 'connect' || action === 'disconnect') ? { id, effect: { kind: 'moved' }, task, time } : undefined;
  }
  if (type !== 'container') return undefined;
  const id = asText(actor.ID) || asText(event.id);
  const effect = containerEffect(action, attributes);
  return id === '' || effect === undefined ? undefined : { id, effect, task, time };
}

function containerEffect(action: string, attributes: Json): ContainerEffect | undefined {
  if (action === 'kill') return { kind: 'signal', signal: signalNumber(asText(attributes.signal)) ?? Number.NaN };
  if (action.startsWith('health_status')) return { kind: /: ?unhealthy$/.test(action) ? 'unhealthy' : 'changed' };
  const kind = EFFECTS[action];
  return kind === undefined ? undefined : { kind };
}
