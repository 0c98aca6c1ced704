import type { Redis } from 'ioredis';
import { parseEndpoint } from './endpoint.ts';
import { createRedis, type RedisBehaviour, type RedisServer } from './redis-connect.ts';

/** Where reads go behind Sentinel; at most one is true, and none is the master. */
export interface ReadStrategy {
  readonly latencyStrategy?: boolean;
  readonly randomStrategy?: boolean;
  readonly replicaStrategy?: boolean;
  readonly useDisconnectedReplicas?: boolean;
}

/** The connection to read from; undefined for the master itself. A replica that goes away ends it. */
export async function chooseReader(
  server: RedisServer,
  strategy: ReadStrategy,
  master: Redis,
  behaviour: RedisBehaviour,
): Promise<Redis | undefined> {
  const { latencyStrategy, randomStrategy, replicaStrategy, useDisconnectedReplicas } = strategy;
  if (!latencyStrategy && !randomStrategy && !replicaStrategy) return undefined;
  const all = await listReplicas(server, behaviour);
  const sound = all.filter(({ flags }) => !/s_down|o_down|disconnected/.test(flags));
  const usable = sound.length > 0 || !useDisconnectedReplicas ? sound : all;
  if (replicaStrategy && usable.length === 0) throw new Error(`Sentinel knows no usable replica of '${server.sentinel!.masterName}'`);
  const candidates: (string | undefined)[] = usable.map(({ endpoint }) => endpoint);
  if (!replicaStrategy) candidates.push(undefined);
  const connect = async (endpoint: string): Promise<Redis> => {
    const redis = (await createRedis({ ...server, endpoints: [endpoint], sentinel: undefined }, behaviour)) as Redis;
    await redis.connect();
    return redis;
  };
  if (!latencyStrategy) {
    const chosen = candidates[Math.floor(Math.random() * candidates.length)];
    return chosen === undefined ? undefined : connect(chosen);
  }
  return fastest(candidates, connect, master);
}

interface Replica {
  readonly endpoint: string;
  readonly flags: string;
}

/** What the first sentinel that answers says. */
async function listReplicas(server: RedisServer, behaviour: RedisBehaviour): Promise<Replica[]> {
  const { masterName = '', username, password } = server.sentinel!;
  let failure: unknown;
  for (const endpoint of server.endpoints) {
    const { host, port } = parseEndpoint(endpoint, 26_379);
    const sentinel = await createRedis({ endpoints: [`[${host}]:${port}`], username, password, tls: server.tls }, behaviour);
    try {
      const answer = (await sentinel.call('SENTINEL', 'REPLICAS', masterName)) as string[][];
      return answer.map((fields) => {
        const of = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
        return { endpoint: `[${of('ip')}]:${of('port')}`, flags: of('flags') };
      });
    } catch (error) {
      failure = error;
    } finally {
      sentinel.disconnect();
    }
  }
  throw failure;
}

/** Whoever answers a PING first; candidates that cannot be reached do not count. */
async function fastest(
  candidates: readonly (string | undefined)[],
  connect: (endpoint: string) => Promise<Redis>,
  master: Redis,
): Promise<Redis | undefined> {
  const ready = await Promise.allSettled(candidates.map((endpoint) => (endpoint === undefined ? master : connect(endpoint))));
  const connected = ready.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const first = await Promise.any(connected.map((redis) => redis.ping().then(() => redis)));
  for (const redis of connected) if (redis !== first && redis !== master) redis.disconnect();
  return first === master ? undefined : first;
}
