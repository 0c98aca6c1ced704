import { decode, defaultsOf } from '../../base/decode.ts';
import { ConfigError } from '../../base/errors.ts';
import type { Schema } from '../../base/schema.ts';
import { httpRouter, httpService, middleware, tcpMiddleware, tcpRouter, tcpService } from '../../config/dynamic.ts';
import { providerOf, qualify } from '../../config/names.ts';
import type { ObjectStatus, RuntimeConfiguration, RuntimeObject } from '../../config/runtime.ts';
import { entryPoint } from '../../config/static/entry-points.ts';
import { loadStatic } from '../../config/static-sources.ts';
import type { Ground } from './http.ts';

type Get = (url: string) => Promise<unknown>;

/** What a running agent, or a Traefik, has in force. Throws ConfigError `config.io`. */
export async function readApi(address: string, get: Get = getJson): Promise<Ground> {
  const base = address
    .replace(/\/+$/, '')
    .replace(/\/api(\/rawdata)?$/, '')
    .replace(/\/dashboard$/, '');
  const raw = (await get(`${base}/api/rawdata`)) as Raw;
  const points = (await get(`${base}/api/entrypoints`)) as { name: string; address?: string; http?: object }[];
  const { configuration } = loadStatic({ arguments: ['--api'], environment: {}, readFile: () => undefined });
  const entryPoints = Object.fromEntries(
    points.map(({ name, address: own, http }) => [
      name,
      { ...defaultsOf(entryPoint), address: own, http: { ...defaultsOf(entryPoint).http, ...http } },
    ]),
  );
  return { configuration: { ...configuration!, entryPoints }, runtime: toRuntime(raw) };
}

interface Raw {
  readonly routers?: Objects;
  readonly services?: Objects;
  readonly middlewares?: Objects;
  readonly tcpRouters?: Objects;
  readonly tcpServices?: Objects;
  readonly tcpMiddlewares?: Objects;
}
type Objects = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

async function getJson(url: string): Promise<unknown> {
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return await response.json();
  } catch (error) {
    const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    throw new ConfigError('config.io', `The API cannot be read: ${cause}; is api switched on there, and is this its address?`, {
      source: url,
    });
  }
}

function toRuntime(raw: Raw): RuntimeConfiguration {
  return {
    http: {
      routers: objectsOf(raw.routers, httpRouter, router),
      services: objectsOf(raw.services, httpService),
      middlewares: objectsOf(raw.middlewares, middleware),
      serversTransports: {},
    },
    tcp: {
      routers: objectsOf(raw.tcpRouters, tcpRouter, router),
      services: objectsOf(raw.tcpServices, tcpService),
      middlewares: objectsOf(raw.tcpMiddlewares, tcpMiddleware),
      serversTransports: {},
    },
    udp: { routers: {}, services: {} },
    tls: { certificates: [], options: {}, stores: {} },
  };
}

function objectsOf<T>(
  objects: Objects = {},
  schema: Schema,
  finish: (config: object, name: string) => object = (config) => config,
): Readonly<Record<string, RuntimeObject<T>>> {
  return Object.fromEntries(
    Object.entries(objects).map(([name, { status, error, using, usedBy: _usedBy, serverStatus: _serverStatus, ...written }]) => {
      const { value, problems } = decode(schema, written, 'machine');
      const errors = [error ?? []].flat().map(String);
      const at = name.indexOf('@');
      return [
        name,
        {
          name: at === -1 ? name : name.slice(0, at),
          provider: providerOf(name),
          status: (status ?? 'enabled') as ObjectStatus,
          errors: problems.length > 0 && errors.length === 0 ? problems.map(({ message }) => message) : errors,
          using: using as string[] | undefined,
          config: finish((value ?? written) as object, name) as T,
        },
      ];
    }),
  );
}

/** Traefik shows services as they were written. */
function router(config: object, name: string): object {
  const {
    service = '',
    middlewares = [],
    priority = 0,
    entryPoints = [],
  } = config as { service?: string; middlewares?: string[]; priority?: number; entryPoints?: string[] };
  const provider = providerOf(name);
  return {
    ...config,
    entryPoints,
    priority,
    service: service === '' ? '' : qualify(service, provider),
    middlewares: middlewares.map((own) => qualify(own, provider)),
  };
}
