/**
 * A copy in one piece, or of a long one in a few. A text cut out of another keeps the other alive and is slower to hash and compare; what is kept for long
 * and looked at often is worth a copy.
 */
export function flatten(text: string): string {
  if (text.length > MAX_LENGTH) return flatten(text.slice(0, MAX_LENGTH)) + flatten(text.slice(MAX_LENGTH));
  codes.length = text.length;
  for (let i = 0; i < text.length; i++) codes[i] = text.charCodeAt(i);
  return String.fromCharCode.apply(null, codes);
}

const MAX_LENGTH = 4096;
const codes: number[] = [];
