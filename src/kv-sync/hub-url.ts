import { ConfigError } from '../base/errors.ts';

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/;

/** The origin of a hub, in the one spelling under which enrolments are found again. Throws ConfigError. */
export function parseHubUrl(text: string, object = 'edge.hub.url'): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ConfigError(
      'config.bad-value',
      `'${text}' is no URL; write the control host of the Worker, as https://edgeway.example.workers.dev`,
      { object },
    );
  }
  // At the enrolment the hub hands out the key that seals secrets.
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname)))
    throw new ConfigError('config.bad-value', `'${text}' would show keys to the network; write https://${url.host}`, { object });
  return url.origin;
}
