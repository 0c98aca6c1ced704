import { Agent } from 'node:http';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { ConfigError } from '../../base/errors.ts';
import { type ClientTls, readClientTls } from './client-tls.ts';
import { connectBySsh } from './ssh-stream.ts';

/** The address that is meant when nobody says another: then DOCKER_HOST counts, as for the docker command line. */
export const DEFAULT_ENDPOINT = 'unix:///var/run/docker.sock';

/** A dead engine behind TCP is noticed after this and ten probes of a second (libuv). */
const KEEP_ALIVE_MS = 15_000;

/** Requests for single containers run beside each other, and the event stream holds a connection of its own. */
const MAX_CONNECTIONS = 20;

export interface EngineAddress {
  /** As told to the operator. */
  readonly endpoint: string;
  readonly connect: () => Duplex;
}

/** Throws ConfigError for an address of a kind that is not known, and for TLS files that cannot be read. */
export async function resolveEndpoint(
  configured: string,
  tls: ClientTls | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<EngineAddress> {
  const fromEnvironment = configured === DEFAULT_ENDPOINT && (environment.DOCKER_HOST ?? '') !== '';
  const endpoint = fromEnvironment ? environment.DOCKER_HOST! : configured;
  const url = parseEndpoint(endpoint);
  switch (url.protocol) {
    case 'unix:': {
      const path = endpoint.slice('unix://'.length);
      return { endpoint, connect: () => connectTcp({ path }) };
    }
    case 'ssh:':
      return { endpoint, connect: () => connectBySsh(url) };
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const options = await tlsOptions(url, tls, fromEnvironment ? environment : {});
      return { endpoint, connect: tcpConnector(url, options) };
    }
    default:
      throw new ConfigError(
        'config.bad-value',
        `'${endpoint}' is no address of an engine; write unix:///path, tcp://host:port, https://host:port or ssh://user@host`,
      );
  }
}

function parseEndpoint(endpoint: string): URL {
  try {
    return new URL(endpoint);
  } catch {
    throw new ConfigError('config.bad-value', `'${endpoint}' is no address of an engine; did you mean 'unix://${endpoint}'?`);
  }
}

/** DOCKER_CERT_PATH and DOCKER_TLS_VERIFY belong to DOCKER_HOST. */
async function tlsOptions(
  url: URL,
  tls: ClientTls | undefined,
  { DOCKER_CERT_PATH: folder, DOCKER_TLS_VERIFY: verify }: Readonly<Record<string, string | undefined>>,
): Promise<ConnectionOptions | undefined> {
  if (tls !== undefined) return readClientTls(tls);
  if (folder) {
    return readClientTls({
      ca: `${folder}/ca.pem`,
      cert: `${folder}/cert.pem`,
      key: `${folder}/key.pem`,
      insecureSkipVerify: (verify ?? '') === '',
    });
  }
  return url.protocol === 'https:' ? {} : undefined;
}

function tcpConnector(url: URL, tls: ConnectionOptions | undefined): () => Duplex {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (tls === undefined ? 2375 : 2376) : Number(url.port);
  const target = { host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  if (tls === undefined) return () => connectTcp(target);
  return () => connectTls({ ...target, ...tls, servername: /^[\d.]+$|:/.test(host) ? '' : host });
}

/** An agent of node:http whose connections are made by us. */
export function createEngineAgent(connect: () => Duplex): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  agent.createConnection = connect as Agent['createConnection'];
  return agent;
}
