import { ConfigError } from '../../base/errors.ts';
import { type ProxyRequest, requestTarget } from '../../base/message.ts';
import { boolean, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';
import { redirectTo, splitPort } from '../redirect.ts';

const DEFAULT_PORTS: Record<string, string> = { http: ':80', https: ':443' };

export const redirectScheme = defineMiddleware({
  kind: 'redirectScheme',
  summary: 'Redirects to another scheme or port.',
  options: object(
    {
      scheme: string('The new scheme. Required.'),
      port: string('The new port; none when absent.'),
      permanent: boolean('Answers 301 (308 where the method must stay) instead of 302 (307).'),
    },
    'redirectScheme',
  ),
  edge: true,
  create({ scheme = '', port = '', permanent = false }) {
    if (scheme === '') throw new ConfigError('config.missing', "'scheme' is empty; write http or https");
    const newPort = port === '' || `:${port}` === DEFAULT_PORTS[scheme] ? '' : `:${port}`;
    return async (request, next) => {
      const [host, hostPort] = splitPort(request.host);
      const current = currentScheme(request);
      const currentPort = hostPort === DEFAULT_PORTS[current] ? '' : hostPort;
      if (current === scheme && currentPort === newPort) return next(request);
      return redirectTo(request, `${scheme}://${host}${newPort}${requestTarget(request)}`, permanent);
    };
  },
});

/** What the client speaks: X-Forwarded-Proto, where it names a scheme, before the connection. */
function currentScheme(request: ProxyRequest): string {
  switch (request.headers.get('X-Forwarded-Proto')?.toLowerCase()) {
    case 'http':
    case 'ws':
      return 'http';
    case 'https':
    case 'wss':
      return 'https';
    default:
      return request.tls === undefined ? 'http' : 'https';
  }
}
