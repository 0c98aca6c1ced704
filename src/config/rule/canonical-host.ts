/** Host for routing: without port and without the brackets of an IPv6 address, small letters. A `[name]` without colon keeps its brackets. */
export const canonicalHost = (host: string): string => (CANONICAL.test(host) ? host : canonicalize(host));

const CANONICAL = /^[a-z0-9.-]*$/;

const canonicalize = (host: string): string =>
  splitHostPort(host)
    .trim()
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Host as v2's HostRegexp sees it: without port where it can be split off, letters and brackets as sent. */
export function hostWithoutPort(host: string): string {
  return host.includes(':') ? (split(host) ?? host) : host;
}

function splitHostPort(host: string): string {
  if (!host.includes(':')) return host;
  return split(host) ?? (host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host);
}

/** The host of Go's net.SplitHostPort; undefined where that fails. */
function split(address: string): string | undefined {
  const colon = address.lastIndexOf(':');
  if (address[0] !== '[') {
    const host = address.slice(0, colon);
    return /[:[\]]/.test(host) || /[[\]]/.test(address) ? undefined : host;
  }
  const close = address.indexOf(']');
  if (close === -1 || close + 1 !== colon) return undefined;
  return address.includes('[', 1) || address.includes(']', close + 1) ? undefined : address.slice(1, close);
}
