import { fromByteString, hasStrayBytes, isAscii } from '../../base/byte-string.ts';
import { cidrContains, type IpBytes, parseCidr } from '../../base/cidr.ts';
import { compileRegexp } from '../../base/regexp.ts';
import { printable } from './lexer.ts';

/** One word of a rule syntax. `build` throws an Error whose message says what is wrong and what to write instead. */
export interface MatcherDefinition<Test> {
  /** Allowed numbers of arguments; undefined for any from 1. */
  readonly arity?: readonly number[];
  readonly build: (values: readonly string[]) => Test;
}

export function requireAscii(value: string, matcher: string): void {
  if (!isAscii(value))
    throw new Error(`${matcher} takes ASCII only, not '${printable(value)}'; write international names in punycode (xn--…)`);
}

/** A test of byte strings by an RE2 expression, which sees their text. */
export function compilePattern(source: string): (bytes: string) => boolean {
  if (hasStrayBytes(source)) throw new Error(`the expression '${printable(source)}' is not UTF-8`);
  const regexp = compileRegexp(source);
  return (bytes) => regexp.test(fromByteString(bytes));
}

export function compileIpMatcher(ranges: readonly string[]): (ip: IpBytes) => boolean {
  const cidrs = ranges.map((range) => {
    const cidr = parseCidr(range);
    if (cidr === undefined)
      throw new Error(`'${printable(range)}' is no address and no network; write 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32`);
    return cidr;
  });
  return (ip) => cidrs.some((cidr) => cidrContains(cidr, ip));
}
