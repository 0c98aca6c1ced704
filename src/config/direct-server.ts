/**
 * Why a Worker cannot reach a server by itself: fetch refuses addresses in URLs (Cloudflare's error 1003), and a name without a
 * dot or of a private domain would only tell the world how a private network is built.
 */
export function directServerProblem(url: string): string | undefined {
  const match = /^https?:\/\/(\[[^\]]*\]|[^:/?#]*)(?::\d+)?(?:[/?#]|$)/i.exec(url);
  const host = match?.[1]?.toLowerCase() ?? '';
  const remedy = 'write a public host name, or leave edge.direct out';
  if (host === '') return `A Worker cannot reach a server that is no http or https URL; ${remedy}`;
  if (host.startsWith('[') || /^[\d.]+$/.test(host)) return `A Worker cannot reach a server by its IP address; ${remedy}`;
  if (!host.includes('.') || PRIVATE.test(host)) return `A Worker cannot reach a server by a name of a private network; ${remedy}`;
  return undefined;
}

/** RFC 6762, RFC 8375, and the names that networks give themselves. */
const PRIVATE = /\.(?:local|internal|intranet|lan|home|home\.arpa|corp|private|docker|svc|cluster\.local)\.?$/;
