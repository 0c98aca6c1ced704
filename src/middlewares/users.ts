import { toByteText } from '../base/bytes.ts';
import { ConfigError } from '../base/errors.ts';
import type { ProxyRequest } from '../base/message.ts';
import type { MiddlewarePlatform } from './middleware.ts';

/**
 * The lines of `usersFile` (blank ones and comments left out), then `users`, each with its number of fields between colons.
 * Hashes never show in a complaint.
 */
export function readUsers(
  { users = [], usersFile = '' }: { users?: readonly string[]; usersFile?: string },
  form: string,
  platform: MiddlewarePlatform,
): string[][] {
  const lines: [string, string][] = [];
  if (usersFile !== '') {
    if (platform.readFile === undefined)
      throw new ConfigError('config.unsupported', "'usersFile' cannot be read here; write the users inline");
    platform
      .readFile(usersFile)
      .split('\n')
      .forEach((line, index) => {
        const text = line.trim();
        if (text !== '' && !text.startsWith('#')) lines.push([text, `line ${index + 1} of '${usersFile}'`]);
      });
  }
  users.forEach((user, index) => {
    lines.push([user, `user ${index + 1}`]);
  });
  const count = form.split(':').length;
  return lines.map(([line, place]) => {
    const fields = line.split(':');
    if (fields.length === count) return fields;
    // A line without a colon may be a hash alone.
    const name = fields.length > 1 ? ` ('${fields[0]}')` : '';
    throw new ConfigError('config.bad-value', `${place}${name} has ${fields.length} of ${count} fields; write ${form}`);
  });
}

/** Tells the server who the client is, in the spelling of the option, and hides the credentials where that is asked for. */
export function passUser(
  { headers }: ProxyRequest,
  user: string,
  { headerField = '', removeHeader = false }: { headerField?: string; removeHeader?: boolean },
): void {
  if (headerField !== '') {
    headers.delete(headerField);
    headers.append(headerField, user);
  }
  if (removeHeader) headers.delete('Authorization');
}

/** The realm as a quoted-string has it (RFC 9110 §5.6.4). */
export const quoteRealm = (realm = ''): string => toByteText(realm === '' ? 'traefik' : realm).replace(/["\\]/g, '\\$&');
