/** Decodes every `%XX` of a path; a malformed escape stays as it is. Bytes that are not UTF-8 become U+FFFD. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  const bytes: number[] = [];
  for (let i = 0; i < path.length; i++) {
    const hex = path[i] === '%' ? path.slice(i + 1, i + 3) : '';
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else {
      const code = path.charCodeAt(i);
      // A raw byte as the head parser gives it (latin1).
      if (code < 0x100) bytes.push(code);
      else bytes.push(...new TextEncoder().encode(path[i]!));
    }
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** Escaped unreserved characters decoded, all other escapes in capitals (Traefik's normalization, always on). */
export function normalizePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9a-fA-F]{2})/g, (escaped, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : escaped.toUpperCase();
  });
}

/** `.` and `..` resolved and slashes collapsed (Go's URL.JoinPath): a trailing slash is kept, nothing climbs above the root. */
export function cleanPath(path: string): string {
  if (!path.includes('//') && !path.includes('/.')) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const slash = /\/(\.{1,2})?$/.test(path) && kept.length > 0 ? '/' : '';
  return `/${kept.join('/')}${slash}`;
}

/** RFC 3986's reserved characters and `%`: they stay escaped in the path that rules see. */
const KEPT = /^(3A|2F|3F|23|5B|5D|40|21|24|26|27|28|29|2A|2B|2C|3B|3D|25)$/;

/** The path that rules see: every escape decoded but those of reserved characters and `%`, which are in capitals. */
export function routingPath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/(?:%[0-9a-fA-F]{2})+/g, (escapes) => {
    let text = '';
    let pending: number[] = [];
    const flush = (): void => {
      if (pending.length > 0) text += new TextDecoder().decode(new Uint8Array(pending));
      pending = [];
    };
    for (const hex of escapes.slice(1).split('%')) {
      if (KEPT.test(hex.toUpperCase())) {
        flush();
        text += `%${hex.toUpperCase()}`;
      } else {
        pending.push(Number.parseInt(hex, 16));
      }
    }
    flush();
    return text;
  });
}
