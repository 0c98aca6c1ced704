const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
]);

/** Longest text that can be a 64-bit number in any base, with some underscores. */
const MAX_NUMBER_LENGTH = 100;

/**
 * The value of an unquoted YAML scalar as go-yaml v3 sees it: YAML 1.2's words (`yes` is a text), and 1.1's octals, `0b` and
 * underscores. Whole numbers beyond ±(2⁵³−1) are bigint. Dates stay texts.
 */
export function resolvePlain(text: string): unknown {
  if (WORDS.has(text)) return WORDS.get(text);
  if (text.length > MAX_NUMBER_LENGTH || !/^[-+.0-9]/.test(text)) return text;
  const plain = text[0] === '.' ? text : text.replaceAll('_', '');
  const whole = wholeNumber(plain);
  if (whole !== undefined) return whole;
  const number = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(number) ? number : text;
}

function wholeNumber(text: string): number | bigint | undefined {
  const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, oldOctal, decimal] = match;
  const digits = hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : undefined;
  const value = BigInt(digits ?? (decimal !== undefined ? decimal : `0o${octal ?? oldOctal}`));
  const signed = sign === '-' ? -value : value;
  if (signed < -(2n ** 63n) || signed >= 2n ** 64n) return undefined;
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}
