import { describe, expect, it } from 'vitest';
import { generate, generatedOnDisk } from '../../scripts/reference.ts';

describe('docs/reference and docs/schema', () => {
  it('are what `npm run docs` writes', () => {
    const fresh = generate();
    const stale = [...fresh].filter(([path, text]) => generatedOnDisk().get(path) !== text).map(([path]) => path);
    expect(stale).toEqual([]);
    expect([...generatedOnDisk().keys()].sort()).toEqual([...fresh.keys()].sort());
  });
});
