import type { HeaderList } from '../base/message.ts';

/** Of these cookies the auth server's take the place of the response's. */
export function replaceCookies(headers: HeaderList, cookies: readonly string[], names: ReadonlySet<string>): void {
  const own = headers.getAll('Set-Cookie').filter((cookie) => !names.has(cookieName(cookie)));
  headers.delete('Set-Cookie');
  for (const cookie of [...own, ...cookies.filter((value) => names.has(cookieName(value)))]) headers.append('Set-Cookie', cookie);
}

const cookieName = (cookie: string): string => cookie.split(/[=;]/, 1)[0]!.trim();
