import { type Found, findRemoved, type Rewriting } from '../static/removed.ts';
import { at, type Tree } from '../static/tree.ts';

const rename =
  (to: string): NonNullable<Rewriting['instead']> =>
  (value, _root, names) => {
    let star = 0;
    return [{ set: to.split('.').map((part) => (part === '*' ? names[star++]! : part)), value }];
  };

/** What dynamic configuration of Traefik 2 has and Traefik 3 has not, or will not have. */
const REWRITINGS: readonly Rewriting[] = [
  ...['http', 'tcp'].map(
    (protocol): Rewriting => ({
      path: `${protocol}.middlewares.*.ipWhiteList`,
      reason: 'it was renamed',
      instead: rename(`${protocol}.middlewares.*.ipAllowList`),
    }),
  ),
  {
    path: 'http.middlewares.*.headers.featurePolicy',
    reason: 'it was renamed, and its syntax changed: look at the value',
    byHand: true,
    instead: rename('http.middlewares.*.headers.permissionsPolicy'),
  },
  ...['sslRedirect', 'sslTemporaryRedirect', 'sslHost', 'sslForceHost'].map(
    (option): Rewriting => ({
      path: `http.middlewares.*.headers.${option}`,
      reason: 'write a middleware redirectScheme, or redirections at the entry point',
      byHand: true,
    }),
  ),
  { path: 'http.middlewares.*.stripPrefix.forceSlash', reason: 'a slash is always put in front' },
  { path: 'http.middlewares.*.forwardAuth.tls.caOptional', reason: 'it never had a meaning for a client' },
  { path: 'http.middlewares.*.contentType.autoDetect', reason: 'types are detected where the middleware stands, and only there' },
  { path: 'tls.options.*.preferServerCipherSuites', reason: 'the server chooses the suite by itself' },
  {
    path: 'tcp.services.*.loadBalancer.terminationDelay',
    reason: 'it belongs to the transport',
    instead: (value, root, names) => {
      const balancer = ['tcp', 'services', names[0]!, 'loadBalancer'];
      const known = at(root, [...balancer, 'serversTransport']);
      const transport = typeof known === 'string' && known !== '' ? known : names[0]!;
      return [
        { set: [...balancer, 'serversTransport'], value: transport },
        { set: ['tcp', 'serversTransports', transport, 'terminationDelay'], value: `${value}ms` },
      ];
    },
  },
];

export const findRemovedDynamic = (root: Tree): Found[] => findRemoved(root, REWRITINGS);

/** Rewritings that a flat spelling (labels, keys) can follow: an option goes, or stands under another name. */
export const FLAT_REWRITINGS: readonly {
  readonly path: readonly string[];
  readonly to: readonly string[] | undefined;
  readonly reason: string;
  readonly byHand: boolean;
}[] = REWRITINGS.filter(({ path }) => !path.endsWith('terminationDelay')).map(({ path, reason, instead, byHand = false }) => {
  const parts = path.split('.');
  const [edit] = instead?.(undefined, {} as Tree, ['*']) ?? [];
  return { path: parts, to: edit !== undefined && 'set' in edit ? edit.set : undefined, reason, byHand };
});
