/** Go reads no query with more parameters than this (GODEBUG urlmaxqueryparams). */
const MAX_PARAMETERS = 10_000;

/**
 * Keys and decoded values of a raw query, as byte strings, as Go's `URL.Query`: pairs with a malformed escape or with `;` are
 * passed over, `+` is a blank, and a query with more than 10,000 pairs has none at all.
 */
export function parseQuery(query: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  const pairs = query.split('&');
  if (pairs.length > MAX_PARAMETERS) return values;
  for (const pair of pairs) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const key = decodeComponent(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decodeComponent(pair.slice(equals + 1));
    if (key === undefined || value === undefined) continue;
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}

function decodeComponent(text: string): string | undefined {
  const blanks = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!blanks.includes('%')) return blanks;
  let malformed = false;
  const decoded = blanks.replace(/%([0-9a-fA-F]{2})?/g, (_, hex: string | undefined) => {
    if (hex === undefined) malformed = true;
    return hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16));
  });
  return malformed ? undefined : decoded;
}
