import type { Clock } from '../../base/clock.ts';
import { holdLock } from './held-lock.ts';
import { type StoreChange, StoreError, type StoreLock } from './store.ts';

/** Runs a script on the server that has the first key. */
export type Evaluate = (script: string, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/**
 * The value of a lock is `<fence> <end> <token>`: one key that stays, so that the fence never starts again and the lock needs no
 * second slot in a cluster. `end` is the server's time in milliseconds, 0 once it was released.
 */
const PARTS = "local value = redis.call('GET', KEYS[1]) or ''\nlocal fence, till, token = string.match(value, '^(%d+) (%d+) (.*)$')\n";
const NOW = "local time = redis.call('TIME')\nlocal now = time[1] * 1000 + math.floor(time[2] / 1000)\n";

const TAKE = `${PARTS}${NOW}
if fence and tonumber(till) > now then return 0 end
local mine = (tonumber(fence) or 0) + 1
redis.call('SET', KEYS[1], string.format('%d %d %s', mine, now + ARGV[2], ARGV[1]))
return mine`;

const EXTEND = `${PARTS}${NOW}
if token ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], string.format('%d %d %s', fence, ARGV[2] == '0' and 0 or now + ARGV[2], token))
return 1`;

/** KEYS: the lock, then the keys. ARGV: the token, then `=value`, or `-` for a key that goes. */
const WRITE = `${PARTS}
if token ~= ARGV[1] then return 0 end
for i = 2, #KEYS do
  if string.sub(ARGV[i], 1, 1) == '=' then redis.call('SET', KEYS[i], string.sub(ARGV[i], 2)) else redis.call('DEL', KEYS[i]) end
end
return 1`;

const tokens = new WeakMap<StoreLock, { readonly key: string; readonly token: string }>();

export async function takeRedisLock(
  evaluate: Evaluate,
  clock: Clock,
  key: string,
  holder: string,
  ttlMs: number,
): Promise<StoreLock | undefined> {
  const token = `${crypto.randomUUID()} ${holder}`;
  const fence = Number(await evaluate(TAKE, [key], [token, ttlMs]));
  if (fence === 0) return undefined;
  const extend = async (ms: number): Promise<boolean> => (await evaluate(EXTEND, [key], [token, ms])) === 1;
  const lock = holdLock({ fence, ttlMs, clock, renew: () => extend(ttlMs), release: async () => void (await extend(0)) });
  tokens.set(lock, { key, token });
  return lock;
}

/** All changes at once. Throws StoreError `lost-lock`. */
export async function writeAtOnce(evaluate: Evaluate, changes: readonly StoreChange[], lock: StoreLock): Promise<void> {
  const { key, token } = tokenOf(lock);
  const keys = [key, ...changes.map((change) => change.key)];
  const args = [token, ...changes.map(({ value }) => (value === undefined ? '-' : `=${value}`))];
  if ((await evaluate(WRITE, keys, args)) !== 1) throw lostLock();
}

/** How many changes go out between two looks at the lock where they cannot be one step. */
const STEPS_PER_LOOK = 100;

/** One after the other, since keys of a cluster live on several servers. Throws StoreError `lost-lock`. */
export async function writeInOrder(
  evaluate: Evaluate,
  set: (change: StoreChange) => Promise<unknown>,
  changes: readonly StoreChange[],
  lock: StoreLock,
): Promise<void> {
  for (const [index, change] of changes.entries()) {
    if (index % STEPS_PER_LOOK === 0) await writeAtOnce(evaluate, [], lock);
    await set(change);
  }
}

const lostLock = (): StoreError => new StoreError('lost-lock', 'Somebody else has taken the lock');

function tokenOf(lock: StoreLock): { key: string; token: string } {
  const found = tokens.get(lock);
  if (found === undefined || !lock.isHeld()) throw lostLock();
  return found;
}
