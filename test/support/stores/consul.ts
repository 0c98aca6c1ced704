import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from '../servers.ts';

/** A real Consul, where the variable CONSUL names its program; else a stand-in that answers as the recorded one did. */
export const consulPath = process.env.CONSUL || undefined;
export const consulName = consulPath === undefined ? 'a stand-in; CONSUL=/path/to/consul for a real one' : 'real';

/** Rights on keys by their prefix; what no prefix names may not be seen. */
export interface ConsulToken {
  /** A UUID. */
  readonly secret: string;
  readonly keys: Readonly<Record<string, 'read' | 'write'>>;
  readonly sessions: boolean;
}

export interface ConsulSettings {
  /** Without a path: the stand-in. */
  readonly path?: string | undefined;
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** With tokens, who shows none may nothing. */
  readonly tokens?: readonly ConsulToken[];
  /** Has namespaces, which is told of Consul Enterprise in its documentation only. The stand-in alone can be that. */
  readonly isEnterprise?: boolean;
  /** What was stopped, with its port and its keys. */
  readonly again?: StartedConsul;
}

export interface StartedConsul extends RunningServer {
  readonly folder: string;
  readonly settings: ConsulSettings;
  remove(): void;
}

/** What may all, where there are tokens. */
export const MANAGER = '11111111-1111-4111-8111-111111111111';
export const NODE = 'node-of-tests';

/** A single server on loopback. It takes its keys back from its folder. */
export async function startConsul(given: ConsulSettings = {}): Promise<StartedConsul> {
  const { again } = given;
  const settings = again === undefined ? { path: consulPath, ...given } : again.settings;
  const folder = again?.folder ?? mkdtempSync(join(tmpdir(), 'edgeway-consul-'));
  const port = again?.port ?? (await freePort());
  const server = settings.path === undefined ? await startStandIn(folder, port, settings) : await startReal(folder, port, settings);
  return { ...server, folder, settings, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What the stand-in reads from `settings.json` of its folder. */
export type StandInSettings = Pick<ConsulSettings, 'tls' | 'tokens' | 'isEnterprise'> & { readonly port: number };

function startStandIn(folder: string, port: number, { tls, tokens, isEnterprise }: ConsulSettings): Promise<RunningServer> {
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ port, tls, tokens, isEnterprise } satisfies StandInSettings));
  const program = join(import.meta.dirname, 'fake-consul-server.ts');
  return startServer(process.execPath, ['--disable-warning=ExperimentalWarning', program, folder], port, /ready/);
}

async function startReal(folder: string, port: number, { path, tls, tokens }: ConsulSettings): Promise<RunningServer> {
  const [server, serf] = [await freePort(), await freePort()];
  const [certificate, key] = [join(folder, 'server.pem'), join(folder, 'server.key')];
  if (tls) {
    writeFileSync(certificate, tls.certificate);
    writeFileSync(key, tls.key);
  }
  const settings = {
    node_name: NODE,
    server: true,
    bootstrap: true,
    data_dir: join(folder, 'data'),
    bind_addr: '127.0.0.1',
    client_addr: '127.0.0.1',
    ports: { http: tls ? -1 : port, https: tls ? port : -1, dns: -1, grpc: -1, grpc_tls: -1, server, serf_lan: serf, serf_wan: -1 },
    // It would ask its maker's server for news otherwise.
    disable_update_check: true,
    connect: { enabled: false },
    peering: { enabled: false },
    performance: { raft_multiplier: 1 },
    gossip_lan: { gossip_interval: '100ms', probe_interval: '100ms', probe_timeout: '100ms' },
    ...(tls && { tls: { https: { cert_file: certificate, key_file: key } } }),
    ...(tokens && { acl: { enabled: true, default_policy: 'deny', tokens: { initial_management: MANAGER } } }),
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  const started = await startServer(path!, ['agent', '-config-file', join(folder, 'settings.json')], port, 'listens');
  try {
    await prepare(createManager(port, tls !== undefined), tokens ?? []);
    return started;
  } catch (error) {
    await started.stop();
    throw error;
  }
}

/** Waits until it can do what the tests ask of it, and makes the tokens. */
async function prepare(ask: ReturnType<typeof createManager>, tokens: readonly ConsulToken[]): Promise<void> {
  const session = JSON.parse(await ask.until('PUT', '/v1/session/create', { TTL: '10s' }));
  await ask.until('PUT', `/v1/session/destroy/${session.ID}`, undefined);
  for (const { secret, keys, sessions } of tokens) {
    const rules = Object.entries(keys).map(([prefix, policy]) => `key_prefix "${prefix}" { policy = "${policy}" }\n`);
    if (sessions) rules.push('session_prefix "" { policy = "write" }\n');
    await ask.until('PUT', '/v1/acl/policy', { Name: `p-${secret}`, Rules: rules.join('') }, /already exists/);
    await ask.until('PUT', '/v1/acl/token', { SecretID: secret, Policies: [{ Name: `p-${secret}` }] }, /already in use/);
  }
}

/** Who asks until it is done: a server that has just begun has no leader yet. */
function createManager(port: number, isTls: boolean) {
  const [request, agent] = isTls ? [requestHttps, new HttpsAgent()] : [requestHttp, new HttpAgent()];
  const ask = (method: string, path: string, body: unknown): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const headers = { 'x-consul-token': MANAGER };
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent, rejectUnauthorized: false }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode!, text }));
      });
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(body));
    });
  return {
    async until(method: string, path: string, body: unknown, isDone?: RegExp): Promise<string> {
      const end = Date.now() + 20_000;
      while (true) {
        const { status, text } = await ask(method, path, body);
        if (status === 200 || isDone?.test(text)) return text;
        if (Date.now() > end) throw new Error(`Consul answers ${method} ${path} with ${status}: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}
