import { DurableObject } from 'cloudflare:workers';
import type { HubCommand, Report } from '../commands.ts';

/** What the hub has, and whether it answers. */
const hub = { pointer: null as string | null, objects: new Map<string, string>(), away: false, asked: 0 };

/** Stands in for the hub as a Worker sees it that needs an object: no publications, no leases. */
export class HubDouble extends DurableObject {
  async readPointer(): Promise<string | null> {
    return answer(() => hub.pointer);
  }

  async readObject(hash: string): Promise<string | null> {
    return answer(() => hub.objects.get(hash) ?? null);
  }
}

function answer<T>(value: () => T): T {
  hub.asked++;
  if (hub.away) throw new Error('The hub is away');
  return value();
}

export function commandHub({ pointer, objects = {}, away }: HubCommand): Report['hub'] {
  if (pointer !== undefined) hub.pointer = pointer;
  if (away !== undefined) hub.away = away;
  for (const [hash, text] of Object.entries(objects)) hub.objects.set(hash, text);
  return { asked: hub.asked };
}
