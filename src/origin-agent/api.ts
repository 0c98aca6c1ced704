import { encode } from '../base/encode.ts';
import type { RuntimeConfiguration, RuntimeObject } from '../config/runtime.ts';
import { entryPoint } from '../config/static/entry-points.ts';
import { type StaticConfiguration, staticConfiguration } from '../config/static.ts';
import { jsonAnswer, notFound, refusal } from './api/answers.ts';
import { certificatesOf, listedCertificate } from './api/certificates.ts';
import { dashboardPage } from './api/dashboard.ts';
import { listAnswer } from './api/listing.ts';
import { type HealthStatus, listed, type ObjectKind, objectsOf, type Protocol } from './api/objects.ts';
import { overview } from './api/overview.ts';
import { show } from './api/show.ts';
import { archive } from './api/support-dump.ts';

export interface ApiOptions {
  readonly runtime: () => RuntimeConfiguration;
  readonly configuration: StaticConfiguration;
  readonly health: HealthStatus;
  /** Version of the program. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Api {
  /** `api@internal`: API, and dashboard where it is on, below `api.basePath`. */
  api(request: Request): Response;
  /** `dashboard@internal`: the page alone, at the root. */
  dashboard(request: Request): Response;
}

type Answer = (query: URLSearchParams, name: string) => Response;

/** Name of the Traefik release whose language we speak; readers of `/api/version` look for one. */
const CODENAME = 'cheddar';

/** Traefik's API: what is in force, read-only. Secrets print as `***`. */
export function createApi({ runtime, configuration, health, version, now }: ApiOptions): Api {
  const { api } = configuration;
  const base = (api?.basePath ?? '/').replace(/\/$/, '');
  const startDate = new Date(now()).toISOString();
  const facts = { Version: version, Codename: CODENAME, startDate };

  const entryPoints = () =>
    Object.entries(configuration.entryPoints ?? {}).map(([name, options]) => ({ ...show(entryPoint, options), name }));
  const objects = (protocol: Protocol, kind: ObjectKind) => objectsOf(runtime(), protocol, kind, health)!;
  const runtimeObjects = (protocol: Protocol, kind: ObjectKind) =>
    (runtime()[protocol] as unknown as Record<ObjectKind, Readonly<Record<string, RuntimeObject<Record<string, unknown>>>>>)[kind];

  const rawData = () => {
    const raw: [string, Map<string, object>][] = [
      ['routers', objects('http', 'routers')],
      ['middlewares', objects('http', 'middlewares')],
      ['services', objects('http', 'services')],
      ['tcpRouters', objects('tcp', 'routers')],
      ['tcpMiddlewares', objects('tcp', 'middlewares')],
      ['tcpServices', objects('tcp', 'services')],
      ['udpRouters', objects('udp', 'routers')],
      ['udpServices', objects('udp', 'services')],
    ];
    return Object.fromEntries(raw.filter(([, map]) => map.size > 0).map(([key, map]) => [key, Object.fromEntries(map)]));
  };

  const supportDump = (): Response => {
    const files = {
      'version.json': JSON.stringify(facts),
      'static-config.json': JSON.stringify(
        encode(staticConfiguration, configuration, () => '***'),
        null,
        2,
      ),
      'runtime-config.json': JSON.stringify(rawData()),
    };
    return new Response(archive(files, now()) as Uint8Array<ArrayBuffer>, {
      headers: { 'Content-Type': 'application/gzip', 'Content-Disposition': 'attachment; filename=support-dump.tar.gz' },
    });
  };

  const answers: Record<string, Answer> = {
    '/api/rawdata': () => jsonAnswer(rawData()),
    '/api/overview': () => jsonAnswer(overview(runtime(), configuration, certificatesOf(runtime(), now()))),
    '/api/support-dump': supportDump,
    '/api/version': () =>
      jsonAnswer(
        {
          ...facts,
          ...(api?.disableDashboardAd && { disableDashboardAd: true }),
          ...(api?.dashboardName && { dashboardName: api.dashboardName }),
        },
        { 'Content-Type': 'application/json; charset=UTF-8' },
      ),
    '/api/entrypoints': (query) =>
      listAnswer(
        entryPoints().map((shown) => ({ shown, name: shown.name, status: '', searched: [], order: {} })),
        // Traefik only pages here.
        only(query, ['page', 'per_page']),
      ),
    '/api/entrypoints/': (_, name) => {
      const shown = entryPoints().find((one) => one.name === name);
      return shown === undefined ? refusal(404, `entry point not found: ${name}`) : jsonAnswer(shown);
    },
    '/api/certificates': (query) => listAnswer(certificatesOf(runtime(), now()).map(listedCertificate), query),
    '/api/certificates/': (_, name) => {
      const found = certificatesOf(runtime(), now()).find((one) => one.name === name);
      return found === undefined ? refusal(404, `certificate not found: ${name}`) : jsonAnswer(found);
    },
  };
  for (const protocol of ['http', 'tcp', 'udp'] as const)
    for (const kind of ['routers', 'services', 'middlewares'] as const) {
      if (protocol === 'udp' && kind === 'middlewares') continue;
      const listOf = (name: string, raw: Record<string, unknown>) => listed(protocol, kind, name, raw, runtimeObjects(protocol, kind));
      answers[`/api/${protocol}/${kind}`] = (query) =>
        listAnswer(
          [...objects(protocol, kind)].map(([name, raw]) => listOf(name, raw)),
          query,
        );
      answers[`/api/${protocol}/${kind}/`] = (_, name) => {
        const raw = objects(protocol, kind).get(name);
        return raw === undefined ? refusal(404, `${kind.slice(0, -1)} not found: ${name}`) : jsonAnswer(listOf(name, raw).shown);
      };
    }

  const page = (): Response => dashboardPage(`${base}/api/`, api?.dashboardName ?? '');

  /** The answer of a path below the base, once the method is known to be right. */
  function find(path: string, request: Request): ((query: URLSearchParams) => Response) | undefined {
    const exact = answers[path];
    if (exact !== undefined && !path.endsWith('/')) return (query) => exact(query, '');
    const slash = path.lastIndexOf('/') + 1;
    const detail = slash < path.length ? answers[path.slice(0, slash)] : undefined;
    if (detail !== undefined) return (query) => withName(path.slice(slash), (name) => detail(query, name));
    if (!api?.dashboard) return undefined;
    if (path === '/' || path === '') return () => redirect(`${forwardedPrefix(request)}${base}/dashboard/`);
    if (path === '/dashboard/') return page;
    return path.startsWith('/dashboard/') ? notFound : undefined;
  }

  return {
    api(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (!pathname.startsWith(base === '' ? '/' : base)) return notFound();
      const answer = find(pathname.slice(base.length), request);
      if (answer === undefined) return notFound();
      return request.method === 'GET' ? answer(searchParams) : new Response(null, { status: 405 });
    },
    dashboard: (request) => (new URL(request.url).pathname === '/' ? page() : notFound()),
  };
}

function only(query: URLSearchParams, names: readonly string[]): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => names.includes(name)));
}

function withName(segment: string, answer: (name: string) => Response): Response {
  try {
    return answer(decodeURIComponent(segment));
  } catch {
    return refusal(400, `unable to decode ${JSON.stringify(segment)}`);
  }
}

const redirect = (location: string): Response => new Response(null, { status: 302, headers: { Location: location } });

/** X-Forwarded-Prefix when it is a path. */
function forwardedPrefix(request: Request): string {
  const prefix = (request.headers.get('X-Forwarded-Prefix') ?? '').replace(/\/$/, '');
  return /^\/(?![/\\])/.test(prefix) ? prefix : '';
}
