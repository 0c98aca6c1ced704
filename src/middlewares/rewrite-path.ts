import { decodePath } from '../base/path.ts';
import { escapePath } from '../base/url.ts';

/** The path with `prefix` (or the whole) replaced, as the Gateway API's filters mean it: whole segments, a trailing slash kept. */
export function rewritePath(path: string, replacement: string | undefined, prefix: string | undefined): string {
  if (replacement === undefined) return path;
  if (prefix === undefined) return escapePath(replacement);
  const decoded = decodePath(path);
  const joined = joinPaths(replacement, decoded.startsWith(prefix) ? decoded.slice(prefix.length) : decoded);
  return escapePath(decoded.endsWith('/') && !joined.endsWith('/') ? `${joined}/` : joined);
}

/** Go's path.Join: one slash between parts, dots resolved, no trailing slash. */
function joinPaths(first: string, second: string): string {
  const rooted = (first === '' ? second : first).startsWith('/');
  const kept: string[] = [];
  for (const segment of `${first}/${second}`.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && (rooted || (kept.length > 0 && kept.at(-1) !== '..'))) kept.pop();
    else kept.push(segment);
  }
  return `${rooted ? '/' : ''}${kept.join('/')}`;
}
