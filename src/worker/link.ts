import { UpstreamError } from '../base/errors.ts';
import { RELAY_PATH } from '../config/envelope.ts';
import type { SiteLink } from '../config/snapshot.ts';

/** Carries one request to the relay of a site. Throws UpstreamError, or what `fetch` throws. */
export type Link = (init: RequestInit) => Promise<Response>;

/** Built for each kind of SiteLink; `vpc` and `socket` have their place here and are refused until they are built. */
export function createLink(link: SiteLink, fetch: typeof globalThis.fetch): Link {
  if (link.type !== 'https') {
    return async () => {
      throw new UpstreamError('upstream.unavailable', `Links of the type '${link.type}' are not built yet`, { sent: false });
    };
  }
  const url = link.address.replace(/\/+$/, '') + RELAY_PATH;
  // One URL stands for every answer of the site: none may come from a cache, and a redirection is the client's to follow.
  return (init) => fetch(url, { ...init, redirect: 'manual', cache: 'no-store' });
}
