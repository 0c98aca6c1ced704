import { expect, it } from 'vitest';
import { chooseCoding, namesCoding } from '../../src/middlewares/accept-encoding.ts';

const ALL = ['gzip', 'br', 'zstd'];

it.each([
  [['gzip'], ALL, 'gzip'],
  [['br'], ALL, 'br'],
  [['br, gzip, zstd'], ALL, 'gzip'],
  [['zstd', 'br'], ALL, 'br'],
  [['gzip, br'], ['br', 'gzip'], 'br'],
  [['br;q=1.0, gzip;q=0.5'], ALL, 'br'],
  [[' gzip ;q=0.8 , br ; q=0.9'], ALL, 'br'],
  [['gzip;q=0'], ALL, undefined],
  [['gzip;q=x'], ALL, undefined],
  [['gzip;level=9'], ALL, 'gzip'],
  [['*'], ALL, '*'],
  [['gzip;q=0.1, *;q=0.5'], ALL, '*'],
  [['gzip, *'], ALL, '*'],
  [['identity'], ALL, 'identity'],
  [['identity, gzip'], ALL, 'gzip'],
  [['deflate'], ALL, undefined],
  [['GZIP'], ALL, undefined],
  [[''], ALL, 'identity'],
  [['', ''], ALL, undefined],
  [['zstd'], ['gzip'], undefined],
])('%j of %j is %s', (lines, offered, expected) => {
  expect(chooseCoding(lines, offered)).toBe(expected);
});

it.each([
  [['gzip'], true],
  [['br', 'gzip;q=0.1'], true],
  [['gzip;q=0'], false],
  [['*'], false],
  [[], false],
])('%j names gzip: %s', (lines, expected) => {
  expect(namesCoding(lines, 'gzip')).toBe(expected);
});
