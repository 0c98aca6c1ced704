import { describe, expect, it } from 'vitest';
import { distinguishedName } from '../../src/base/distinguished-name.ts';

type Attributes = [string, string][];

describe('distinguishedName', () => {
  // The first two as Traefik 3.7.9 logged them for certificates with these subjects.
  it.each<[string, Attributes, string]>([
    [
      'every attribute, backwards in an order of its own, unknown ones as DER',
      [
        ['C', 'DE'],
        ['ST', 'Berlin'],
        ['L', 'Mitte, "Ost"'],
        ['O', 'Example+Co'],
        ['OU', 'One'],
        ['OU', 'Two'],
        ['2.5.4.9', 'Street 1'],
        ['2.5.4.17', '10115'],
        ['CN', '#first'],
        ['SERIALNUMBER', '4711'],
        ['DC', 'example'],
        ['1.2.840.113549.1.9.1', 'a@b.c'],
        ['2.5.4.12', 'Bücher'],
      ],
      'SERIALNUMBER=4711,CN=\\#first,OU=One+OU=Two,O=Example\\+Co,POSTALCODE=10115,STREET=Street 1,L=Mitte\\, \\"Ost\\",ST=Berlin,C=DE,' +
        '2.5.4.12=#0c0742c3bc63686572,1.2.840.113549.1.9.1=#0c056140622e63,0.9.2342.19200300.100.1.25=#13076578616d706c65',
    ],
    ['a space at the end', [['CN', 'bob ']], 'CN=bob\\ '],
    [
      'of several common names the last',
      [
        ['CN', 'a'],
        ['CN', ' b'],
      ],
      'CN=\\ b',
    ],
    ['a long value', [['1.2.3', 'x'.repeat(200)]], `1.2.3=#1381c8${'78'.repeat(200)}`],
    ['nothing', [], ''],
  ])('%s', (_, name, text) => {
    expect(distinguishedName(name)).toBe(text);
  });
});
