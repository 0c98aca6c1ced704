import { HeaderList } from '../base/message.ts';

/**
 * `Headers` for `fetch` or a `Response`. The runtime keeps repeated fields and letter case only in a copy of the `Headers` that it made
 * itself, so `native` is copied and changed where the list differs. Fields for which `skip` says true (small letters) are left out.
 */
export function toHeaders(list: HeaderList, native: Headers | undefined, skip: (name: string) => boolean): Headers {
  const wanted = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of list) {
    const lower = name.toLowerCase();
    if (skip(lower)) continue;
    const entry = wanted.get(lower);
    if (entry === undefined) wanted.set(lower, { name, values: [value] });
    else entry.values.push(value);
  }
  const headers = native === undefined ? new Headers() : new Headers(native);
  for (const name of [...headers.keys()]) if (!wanted.has(name)) headers.delete(name);
  for (const [lower, { name, values }] of wanted) {
    if (isUnchanged(headers, lower, values)) continue;
    headers.delete(lower);
    for (const value of values) headers.append(name, value);
  }
  return headers;
}

function isUnchanged(headers: Headers, name: string, values: readonly string[]): boolean {
  if (name !== 'set-cookie') return values.length === 1 && headers.get(name) === values[0];
  const cookies = headers.getSetCookie();
  return cookies.length === values.length && cookies.every((cookie, index) => cookie === values[index]);
}

/** Names come in small letters, repeated fields joined by `, ` (all but Set-Cookie). */
export const fromHeaders = (headers: Headers): HeaderList => HeaderList.from(headers);
