import { equal } from './equal.ts';
import { keyOf, type Named } from './names.ts';
import { type Rejected, readRejected, type Says } from './rejected.ts';
import { NONE, type Verdict } from './verdict.ts';

/** One object of one provider. It lives as long as the provider says the same of it. */
export interface Slot<Facts = unknown> extends Verdict {
  readonly owner: Named;
  /** Qualified name. */
  readonly key: string;
  /** As the provider said it; undefined when it was refused. */
  readonly written: unknown;
  /** Why the provider refused it. */
  readonly rejected: readonly string[] | undefined;
  /** Why a definition of it was refused, so that it is what it was before, or what another says; most have nothing here. */
  stale: readonly string[];
  /** For graphs: what is wrong with it and all that it refers to; undefined while nobody asked. */
  errors: readonly string[] | undefined;
  /** Number of the last merge that saw it. */
  seen: number;
  /** What can be said of the object alone. */
  facts: Facts;
}

/** What the sentences about such an object begin with. */
export const KEPT = 'Refused, and a sound definition stays in force: ';

export type Protocol = 'http' | 'tcp' | 'udp';

/** All objects of a kind, by qualified name, from merge to merge. */
export interface Registry<S extends Slot> {
  readonly slots: ReadonlyMap<string, S>;
  /** Takes over what the providers say now; all verdicts begin anew. */
  update(says: Says, rejected: ReadonlyMap<string, Rejected>): void;
}

export const rejectedOfAll = (says: Says): ReadonlyMap<string, Rejected> =>
  new Map([...says].map(([provider, { problems }]) => [provider, readRejected(problems)]));

/** `read` finds what can be said of an object alone; it is asked once for each. */
export function createRegistry<Facts>(protocol: Protocol, kind: string, read: (slot: Slot) => Facts): Registry<Slot<Facts>> {
  type S = Slot<Facts>;
  const slots = new Map<string, S>();
  const byProvider = new Map<string, Map<string, S>>();
  let turn = 0;

  function take(known: Map<string, S>, name: string, provider: string, written: unknown, rejected?: readonly string[]): S {
    let slot = known.get(name);
    if (slot === undefined || !(slot.written === written || equal(slot.written, written)) || !equal(slot.rejected, rejected)) {
      const owner = { name, provider };
      const key = keyOf(owner);
      slot = {
        owner,
        key,
        written,
        rejected,
        stale: NONE,
        critical: NONE,
        warnings: NONE,
        usedBy: undefined,
        last: slot?.last,
        finished: slot?.finished ?? 0,
        errors: undefined,
        seen: turn,
        facts: undefined as Facts,
      };
      slot.facts = read(slot);
      known.set(name, slot);
      slots.set(key, slot);
    }
    slot.seen = turn;
    slot.critical = rejected ?? NONE;
    slot.stale = NONE;
    slot.warnings = NONE;
    slot.usedBy = undefined;
    slot.errors = undefined;
    return slot;
  }

  function keep(slot: S | undefined, errors: readonly string[]): void {
    if (slot !== undefined) slot.warnings = slot.stale = errors.map((error) => `${KEPT}${error}`);
  }

  return {
    slots,
    update(says, rejected) {
      turn++;
      for (const [provider, { configuration }] of says) {
        let known = byProvider.get(provider);
        if (known === undefined) byProvider.set(provider, (known = new Map()));
        const objects = (configuration[protocol] as Record<string, Record<string, unknown>> | undefined)?.[kind] ?? {};
        for (const name in objects) take(known, name, provider, objects[name]);
        for (const [name, errors] of rejected.get(provider)?.get(`${protocol}.${kind}`) ?? [])
          if (Object.hasOwn(objects, name)) keep(known.get(name), errors);
          else take(known, name, provider, undefined, errors);
      }
      for (const known of byProvider.values()) {
        for (const [name, slot] of known) {
          if (slot.seen === turn) continue;
          known.delete(name);
          slots.delete(slot.key);
        }
      }
    },
  };
}
