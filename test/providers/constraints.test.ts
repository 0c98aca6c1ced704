import { describe, expect, it } from 'vitest';
import { compileLabelConstraints, compileTagConstraints } from '../../src/providers/constraints.ts';

const LABELS = { tier: 'front', env: 'prod', 'com.example.x': '1' };

describe('compileLabelConstraints', () => {
  it.each([
    ['', true],
    ['Label(`tier`, `front`)', true],
    ['Label("tier", "front")', true],
    ['Label(`tier`, `Front`)', false],
    ['Label(`TIER`, `front`)', false],
    ['Label(`nope`, ``)', true],
    ['Label(`com.example.x`, `1`)', true],
    ['!Label(`tier`, `back`)', true],
    ['!(Label(`tier`, `front`) && Label(`env`, `prod`))', false],
    ['Label(`tier`, `back`) || Label(`env`, `prod`)', true],
    ['Label(`tier`, `back`) || Label(`env`, `prod`) && Label(`tier`, `x`)', false],
    ['LabelRegex(`tier`, `ron`)', true],
    ['LabelRegex(`tier`, `^ron`)', false],
    ['LabelRegex(`nope`, `^$`)', true],
  ])('%s', (expression, expected) => {
    expect(compileLabelConstraints(expression)(LABELS)).toBe(expected);
  });

  it.each([
    ['Label(`tier`)', 'Label takes 2 texts, not 1'],
    ['Tag(`front`)', "unknown matcher 'Tag'; known are Label, LabelRegex"],
    ['label(`tier`, `front`)', 'write Label'],
    ["Label('tier', 'front')", 'texts stand in back-ticks or double quotes'],
    ['Label(`tier`', 'column 13'],
    ['!LabelRegex(`tier`, `(`)', '('],
  ])('refuses %s', (expression, message) => {
    expect(() => compileLabelConstraints(expression)).toThrow(message);
  });
});

describe('compileTagConstraints', () => {
  it.each([
    ['Tag(`a`) && !Tag(`b`)', ['a'], true],
    ['Tag(`a`) && !Tag(`b`)', ['a', 'b'], false],
    ['TagRegex(`^env=`)', ['x', 'env=prod'], true],
    ['TagRegex(`^env=`)', ['my-env=prod'], false],
  ])('%s of %j', (expression, tags, expected) => {
    expect(compileTagConstraints(expression)(tags)).toBe(expected);
  });
});
