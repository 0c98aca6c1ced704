/** The type of a Content-Type in lower case, without parameters; undefined when it is none (RFC 9110 §8.3.1). */
export function mediaType(value: string): string | undefined {
  const match = /^\s*([!#$%&'*+.^_`|~\w-]+(?:\/[!#$%&'*+.^_`|~\w-]+)?)\s*(;.*)?$/.exec(value);
  return match === null ? undefined : match[1]!.toLowerCase();
}
