import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findProgram } from '../../servers.ts';
import { freePort, LOAD_CORE, PROXY_CORE, reachable, startPinned } from './machine.ts';

/** What a proxy is asked to do in front of one server. */
export interface Task {
  /** Routers by host (`h0.test` …) and path, all of one service. */
  readonly routers: number;
  /** headers, stripPrefix and rateLimit, an access log in JSON and Prometheus. */
  readonly full?: boolean;
  readonly tls?: boolean;
  /** One TCP router for everything instead of HTTP. */
  readonly tcp?: boolean;
  readonly threads?: number;
}

export interface Running {
  readonly port: number;
  readonly pid: number;
  /** Dynamic configuration of Edgeway and Traefik. */
  readonly dynamicFile: string;
}

export type PeerName = 'edgeway' | 'traefik' | 'nginx' | 'haproxy' | 'caddy';

export interface Site {
  readonly folder: string;
  readonly serverPort: number;
  readonly children: ChildProcess[];
}

/** Those whose programs are there; Traefik where the variable TRAEFIK names one. */
export function presentPeers(): PeerName[] {
  const names: PeerName[] = ['edgeway', 'nginx', 'haproxy', 'caddy', 'traefik'];
  return names.filter(
    (name) => name === 'edgeway' || (name === 'traefik' ? process.env.TRAEFIK !== undefined : findProgram(name) !== undefined),
  );
}

export async function startPeer(name: PeerName, task: Task, site: Site): Promise<Running> {
  const port = await freePort();
  const dynamicFile = path.join(site.folder, `dynamic-${port}.yml`);
  const command = await COMMANDS[name]({ ...site, task, port, dynamicFile });
  const child = startPinned(site.children, PROXY_CORE, command, { GOMAXPROCS: '1', HOME: site.folder });
  await reachable(port, child);
  return { port, pid: child.pid!, dynamicFile };
}

/** An nginx that serves the folder, on the core of the load. */
export async function startServer(children: ChildProcess[], folder: string): Promise<number> {
  const port = await freePort();
  const file = await writeNginx(folder, port, `server { listen 127.0.0.1:${port} backlog=4096; root ${folder}; access_log off; }`);
  await reachable(port, startPinned(children, LOAD_CORE, ['nginx', '-p', folder, '-c', file]));
  return port;
}

interface Ground extends Site {
  readonly task: Task;
  readonly port: number;
  readonly dynamicFile: string;
}

const COMMANDS: Readonly<Record<PeerName, (ground: Ground) => Promise<string[]>>> = {
  edgeway: async (ground) => [
    path.join(import.meta.dirname, '../../../bin/edgeway'),
    'agent',
    `--configFile=${await writeTraefik(ground, { edge: { threads: ground.task.threads ?? 1 } })}`,
  ],
  traefik: async (ground) => [
    process.env.TRAEFIK!,
    `--configFile=${await writeTraefik(ground, { global: { checkNewVersion: false, sendAnonymousUsage: false } })}`,
  ],
  nginx: async ({ folder, port, serverPort, task }) => {
    const tls = task.tls ? `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;` : '';
    return [
      'nginx',
      '-p',
      folder,
      '-c',
      await writeNginx(
        folder,
        port,
        `upstream up { server 127.0.0.1:${serverPort}; keepalive 200; keepalive_requests 1000000; }
         server { listen 127.0.0.1:${port} backlog=4096${task.tls ? ' ssl' : ''}; ${tls} access_log off;
           location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
             proxy_set_header X-Forwarded-For $remote_addr; proxy_buffer_size 32k; proxy_buffers 8 32k; } }`,
      ),
    ];
  },
  haproxy: async ({ folder, port, serverPort, task }) => {
    const file = path.join(folder, `haproxy-${port}.cfg`);
    await writeFile(
      file,
      `global
  nbthread 1
  maxconn 4000
defaults
  mode ${task.tcp ? 'tcp' : 'http'}
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend f
  bind 127.0.0.1:${port} backlog 4096${task.tls ? ` ssl crt ${folder}/both.pem` : ''}
  default_backend b
backend b
  ${task.tcp ? '' : 'http-reuse always\n  option forwardfor\n  '}server s 127.0.0.1:${serverPort}
`,
    );
    return ['haproxy', '-db', '-f', file];
  },
  caddy: async ({ folder, port, serverPort, task }) => {
    const file = path.join(folder, `Caddyfile-${port}`);
    const tls = task.tls ? `tls ${folder}/cert.pem ${folder}/key.pem` : '';
    await writeFile(
      file,
      `{\n admin off\n auto_https off\n}\n${task.tls ? 'https' : 'http'}://:${port} {\n bind 127.0.0.1\n ${tls}\n reverse_proxy 127.0.0.1:${serverPort}\n}\n`,
    );
    return ['caddy', 'run', '--adapter', 'caddyfile', '--config', file];
  },
};

async function writeNginx(folder: string, port: number, http: string): Promise<string> {
  const file = path.join(folder, `nginx-${port}.conf`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${port}-${kind};`);
  await writeFile(
    file,
    `daemon off; master_process off; user root; pid ${folder}/${port}.pid; error_log ${folder}/${port}.log;
     events { worker_connections 8000; } http { keepalive_requests 1000000; sendfile on; tcp_nopush on; ${temporary.join(' ')} ${http} }`,
  );
  return file;
}

/** The static file's name; the dynamic one is written beside it. */
async function writeTraefik({ folder, port, dynamicFile, serverPort, task }: Ground, own: object): Promise<string> {
  const metricsPort = await freePort();
  const file = path.join(folder, `static-${port}.yml`);
  await writeFile(
    file,
    JSON.stringify({
      ...own,
      entryPoints: {
        web: { address: `127.0.0.1:${port}` },
        ...(task.full && { metrics: { address: `127.0.0.1:${metricsPort}` } }),
      },
      providers: { file: { filename: dynamicFile, watch: true } },
      ...(task.full && {
        accessLog: { format: 'json', filePath: path.join(folder, `access-${port}.log`) },
        metrics: { prometheus: { entryPoint: 'metrics' } },
      }),
    }),
  );
  await writeFile(dynamicFile, dynamicText(task, folder, serverPort, 0));
  return file;
}

/** `change` makes one of the routers another one. */
export function dynamicText(task: Task, folder: string, serverPort: number, change: number): string {
  if (task.tcp)
    return JSON.stringify({
      tcp: {
        routers: { all: { rule: 'HostSNI(`*`)', service: 's' } },
        services: { s: { loadBalancer: { servers: [{ address: `127.0.0.1:${serverPort}` }] } } },
      },
    });
  const routers: Record<string, object> = {};
  for (let i = 0; i < task.routers; i++) {
    const changed = change > 0 && i === 5 ? ` && PathPrefix(\`/${change}\`)` : '';
    routers[`r${i}`] = {
      rule: `Host(\`h${i}.test\`) && PathPrefix(\`/\`)${changed}`,
      service: 's',
      ...(task.full && { middlewares: ['fields', 'strip', 'rate'] }),
      ...(task.tls && { tls: {} }),
    };
  }
  return JSON.stringify({
    http: {
      routers,
      services: { s: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${serverPort}` }] } } },
      ...(task.full && {
        middlewares: {
          fields: {
            headers: { customRequestHeaders: { 'X-From': 'bench' }, customResponseHeaders: { 'X-Seen': 'bench' }, frameDeny: true },
          },
          strip: { stripPrefix: { prefixes: ['/api'] } },
          rate: { rateLimit: { average: 1_000_000, burst: 1_000_000 } },
        },
      }),
    },
    ...(task.tls && { tls: { certificates: [{ certFile: path.join(folder, 'cert.pem'), keyFile: path.join(folder, 'key.pem') }] } }),
  });
}
