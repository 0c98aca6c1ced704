import { decodeKeys, type Pair } from '../../src/config/keys.ts';
import { type Outcome, runCases } from './cases.ts';
import { judgeLoaded } from './dynamic.ts';

interface Input {
  readonly rootKey: string;
  readonly pairs: readonly Pair[];
}

/** Runs the vectors of the topic `kv`. */
export async function run(folder: string): Promise<Outcome> {
  return runCases<Input>(folder, (one) => judgeLoaded(decodeKeys(one.input.rootKey, one.input.pairs), one));
}
