import { expect, it } from 'vitest';
import { generate, judge } from '../../../scripts/fuzz/greetings.ts';

it('reads first bytes whole, in pieces and damaged, and never changes its mind', () => {
  for (let seed = 1; seed <= 5_000; seed++) {
    const input = generate(seed);
    expect(judge(input, seed), `seed ${seed}: ${input.bytes.toString('hex')}`).toBeUndefined();
  }
});
