import { type Clock, sleep } from '../../base/clock.ts';
import { ConfigError } from '../../base/errors.ts';
import {
  bookkeepingPrefix,
  type StoreChange,
  type StoreClient,
  type StoreLock,
  type StoreRevision,
  stagedPrefix,
} from '../../providers/clients/store.ts';
import { revisionKey } from '../bookkeeping.ts';
import { nodesOf } from '../status.ts';

export interface RollOutOptions {
  /** In this order; `all` are those that have told what they run, by name. */
  readonly nodes: readonly string[] | 'all';
  /** How long a node must have run it before the next one takes it. */
  readonly pauseMs: number;
  /** How long a node may take until it runs it. */
  readonly limitMs: number;
  readonly say: (text: string) => void;
}

export interface RollingOut extends RollOutOptions {
  readonly client: StoreClient;
  readonly lock: StoreLock;
  readonly root: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What is in force. */
  readonly before: StoreRevision;
  /** What shall be. */
  readonly next: StoreRevision;
  /** Keys below root that differ. */
  readonly changes: readonly StoreChange[];
}

const LOOK_MS = 200;

/**
 * Lets one node after another run what is staged. Resolves when all run it, and what is to be deleted then; throws ConfigError when one
 * does not, and leaves everything as it is: whoever has it goes on with it.
 */
export async function rollOut(options: RollingOut): Promise<readonly StoreChange[]> {
  const { client, lock, root, before, next, say } = options;
  const nodes = await nodesToAsk(options);
  const staged = options.changes.map((change) => stagedChange(root, next.revision, change));
  await client.write([...(await leftOvers(client, root)), ...staged], lock);
  for (let count = 1; count <= nodes.length; count++) {
    const rolling = { revision: next.revision, hash: next.hash, nodes: nodes.slice(0, count) };
    await client.write([{ key: revisionKey(root), value: JSON.stringify({ ...before, rollOut: rolling }) }], lock);
    await settles(nodes[count - 1]!, options);
    say(`${nodes[count - 1]} runs revision ${next.revision} (${count} of ${nodes.length})\n`);
  }
  return staged.map(({ key }) => ({ key, value: undefined }));
}

function stagedChange(root: string, revision: number, { key, value }: StoreChange): StoreChange {
  const name = key.slice(root.length + 1);
  return { key: `${stagedPrefix(root, revision)}${value === undefined ? 'gone' : 'set'}/${name}`, value: value ?? '' };
}

/** Of a roll-out whose process died before it began. */
async function leftOvers(client: StoreClient, root: string): Promise<StoreChange[]> {
  return (await client.read(`${bookkeepingPrefix(root)}staged/`)).map(([key]) => ({ key, value: undefined }));
}

async function nodesToAsk({ client, root, nodes }: RollingOut): Promise<readonly string[]> {
  const known = await readNodes(client, root);
  const names = [...known.keys()];
  if (nodes === 'all') {
    if (names.length > 0) return names;
    throw new ConfigError('config.missing', 'No agent has told what it runs, so there is nobody to roll out to');
  }
  const unknown = nodes.find((node) => !known.has(node));
  if (unknown === undefined) return nodes;
  throw new ConfigError('config.reference', `There is no agent '${unknown}' at this store; known are ${names.join(', ') || 'none'}`);
}

async function readNodes(client: StoreClient, root: string): Promise<ReadonlyMap<string, number>> {
  const texts = new Map(await client.read(`${bookkeepingPrefix(root)}nodes/`));
  return new Map(nodesOf(root, texts).map(({ node, revision }) => [node, revision]));
}

/** Until the node runs the revision, and then for the pause. */
async function settles(node: string, { client, root, clock, signal, next, pauseMs, limitMs }: RollingOut): Promise<void> {
  const end = clock.now() + limitMs;
  let since: number | undefined;
  while (since === undefined || clock.now() - since < pauseMs) {
    const runs = (await readNodes(client, root)).get(node) === next.revision;
    if (runs) since ??= clock.now();
    else if (since !== undefined || clock.now() >= end) {
      const what =
        since === undefined
          ? `did not take revision ${next.revision} within ${limitMs / 1000} s`
          : `no longer runs revision ${next.revision}`;
      throw new ConfigError(
        'config.reference',
        `${node} ${what}, so the roll-out stops here; those before it keep it until 'edgeway sync abort' takes it back`,
      );
    }
    if (!(await sleep(clock, Math.min(LOOK_MS, Math.max(1, pauseMs)), signal)))
      throw new ConfigError('config.reference', "The roll-out was stopped; 'edgeway sync abort' takes it back");
  }
}

/** Everybody goes back to what is in force. False when nothing was rolled out. Throws StoreError. */
export async function abortRollOut(
  client: StoreClient,
  lock: StoreLock,
  root: string,
  revision: StoreRevision | undefined,
): Promise<boolean> {
  const staged = await leftOvers(client, root);
  if (revision?.rollOut === undefined && staged.length === 0) return false;
  const { rollOut: _, ...inForce } = revision ?? { rollOut: undefined };
  const mark = revision === undefined ? [] : [{ key: revisionKey(root), value: JSON.stringify(inForce) }];
  await client.write([...mark, ...staged], lock);
  return true;
}
