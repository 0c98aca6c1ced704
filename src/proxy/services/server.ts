import { ConfigError } from '../../base/errors.ts';
import type { LoadBalancer } from '../../config/dynamic.ts';
import type { ServerTarget } from '../platform.ts';

/** A server as balancers see it. */
export interface ServerEntry {
  readonly name: string;
  readonly target: ServerTarget;
  readonly weight: number;
  /** On its way out: keeps the clients that are stuck to it and takes no new ones. */
  readonly fenced: boolean;
  /** Host header that the server gets without passHostHeader. */
  readonly hostHeader: string;
  /** Path before the request's own, with preservePath. */
  readonly pathPrefix: string;
}

const SCHEME_PORTS: Record<string, number> = { http: 80, https: 443, h2c: 80 };

type ServerConfig = NonNullable<LoadBalancer['servers']>[number] & { readonly fenced?: boolean };

/** Throws ConfigError when the URL is none of `http`, `https`, `h2c` with a host, or `unix`. */
export function parseServer(
  { url = '', weight = 1, preservePath = false, fenced = false }: ServerConfig,
  service: string,
  context: Pick<ServerTarget, 'transport' | 'transportName'>,
): ServerEntry {
  const common = { name: url, weight, fenced };
  const { transportName, transport } = context;
  const socket = /^unix:\/\/(\/.+)$/.exec(url);
  if (socket !== null) {
    return {
      ...common,
      hostHeader: 'localhost',
      pathPrefix: '',
      target: { url, scheme: 'http', host: 'localhost', port: 0, transportName, transport },
    };
  }
  const match = /^(https?|h2c):\/\/(?:[^/?#@]*@)?(?:\[([^\]]+)\]|([^:/?#]+))(?::(\d+))?(\/[^?#]*)?(?:[?#].*)?$/i.exec(url);
  if (match === null)
    throw new ConfigError('config.bad-value', `The server '${url}' is no address; write http://host:port`, { object: service });
  const [, scheme, v6, name, port, path] = match;
  const host = v6 ?? name!;
  const authority = v6 === undefined ? host : `[${host}]`;
  return {
    ...common,
    hostHeader: port === undefined ? authority : `${authority}:${port}`,
    pathPrefix: preservePath && path !== undefined ? path.replace(/\/$/, '') : '',
    target: {
      url,
      scheme: scheme!.toLowerCase() as ServerTarget['scheme'],
      host,
      port: port === undefined ? SCHEME_PORTS[scheme!.toLowerCase()]! : Number(port),
      transportName,
      transport,
    },
  };
}
