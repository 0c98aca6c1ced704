import type { ChildProcess } from 'node:child_process';
import { Agent, request as startRequest } from 'node:http';

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  /** Header `Host`. */
  readonly name: string;
  readonly path?: string;
  /** Clients, each with one kept-alive connection. */
  readonly clients?: number;
  /** Bodies of POST requests have up to so many bytes; every second request is a GET. */
  readonly maxBodyBytes?: number;
  readonly timeoutMs?: number;
  /** Every so many requests a client connects anew, as browsers do; without it only when a server closes. */
  readonly newConnectionEach?: number;
}

export interface LoadReport {
  readonly requests: number;
  readonly failed: number;
  /** How many failed in which way: `POST 503`, `GET ECONNRESET`, `cut`, `wrong body`, `timeout`. */
  readonly failures: Readonly<Record<string, number>>;
  /** Answers by the host name that the server says. */
  readonly servers: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface Load {
  /** Requests that have ended so far. */
  readonly requests: () => number;
  /** Resolves when so many more have ended. */
  readonly more: (count: number) => Promise<void>;
  /** Lets requests in flight end. */
  readonly stop: () => Promise<LoadReport>;
}

const KIB_64 = 64 * 1024;

/**
 * Sends GET and POST requests to a `whoami` behind a proxy, one after the other on every connection, and checks that each answer
 * is whole and about the body that was sent. Nothing is tried again: what fails here has failed for a user.
 */
export function startLoad({
  host,
  port,
  name,
  path = '/',
  clients = 16,
  maxBodyBytes = KIB_64,
  timeoutMs = 10_000,
  newConnectionEach = Number.POSITIVE_INFINITY,
}: LoadOptions): Load {
  const startedAt = performance.now();
  const failures: Record<string, number> = {};
  const servers: Record<string, number> = {};
  const waiting = new Set<{ readonly at: number; readonly resolve: () => void }>();
  const body = Buffer.alloc(maxBodyBytes, 'edgeway ');
  let requests = 0;
  let stopping = false;

  const client = async (number: number): Promise<void> => {
    let agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = number; !stopping; i++) {
      if (i % newConnectionEach === 0) {
        agent.destroy();
        agent = new Agent({ keepAlive: true, maxSockets: 1 });
      }
      // Sizes over the whole range, the same in every run; 40503 is coprime to all of them.
      const size = i % 2 === 0 ? undefined : (i * 40_503) % (maxBodyBytes + 1);
      const sent = size === undefined ? undefined : body.subarray(0, size);
      const outcome = await ask({ agent, host, port, path, name, timeoutMs }, sent);
      if (outcome.server !== undefined) servers[outcome.server] = (servers[outcome.server] ?? 0) + 1;
      if (outcome.failure !== undefined) failures[outcome.failure] = (failures[outcome.failure] ?? 0) + 1;
      requests++;
      for (const one of waiting) if (requests >= one.at && waiting.delete(one)) one.resolve();
    }
    agent.destroy();
  };
  const running = Array.from({ length: clients }, (_, i) => client(i * 1_000));

  return {
    requests: () => requests,
    more: (count) => new Promise((resolve) => waiting.add({ at: requests + count, resolve })),
    async stop() {
      stopping = true;
      await Promise.all(running);
      const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
      return { requests, failed, failures, servers, seconds: (performance.now() - startedAt) / 1_000 };
    },
  };
}

interface Target {
  readonly agent: Agent;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly name: string;
  readonly timeoutMs: number;
}

/** Never rejects. */
function ask(
  { agent, host, port, path, name, timeoutMs }: Target,
  body: Buffer | undefined,
): Promise<{ failure?: string; server?: string }> {
  return new Promise((resolve) => {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = { host: name, ...(body === undefined ? {} : { 'content-length': body.length }) };
    const timer = setTimeout(() => {
      resolve({ failure: 'timeout' });
      outgoing.destroy();
    }, timeoutMs);
    const end = (outcome: { failure?: string; server?: string }): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const outgoing = startRequest({ agent, host, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => end({ failure: 'cut' }));
      response.on('end', () => {
        if (response.statusCode !== 200) return end({ failure: `${method} ${response.statusCode}` });
        end(judge(Buffer.concat(chunks).toString('utf8'), method, body?.length ?? 0));
      });
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => end({ failure: `${method} ${error.code ?? error.message}` }));
    outgoing.end(body);
  });
}

function judge(text: string, method: string, bytes: number): { failure?: string; server?: string } {
  try {
    const answer = JSON.parse(text) as { hostname: string; method: string; bytes: number };
    return answer.method === method && answer.bytes === bytes
      ? { server: answer.hostname }
      : { failure: 'wrong body', server: answer.hostname };
  } catch {
    return { failure: 'wrong body' };
  }
}

/** The clients as a process of their own, started by `enter` (into a namespace); its output goes to the log. */
export function startLoadProcess(
  enter: (command: readonly string[], log: string) => ChildProcess,
  options: LoadOptions,
): Pick<Load, 'requests' | 'stop'> {
  const child = enter(
    [process.execPath, '--disable-warning=ExperimentalWarning', import.meta.filename, JSON.stringify(options)],
    'load.log',
  );
  let requests = 0;
  let report: LoadReport | undefined;
  child.on('message', (message: { requests?: number; report?: LoadReport }) => {
    requests = message.requests ?? requests;
    report = message.report ?? report;
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    requests() {
      if (child.exitCode !== null) throw new Error('The clients ended; load.log says why');
      return requests;
    },
    async stop() {
      child.send('stop');
      await gone;
      if (report === undefined) throw new Error('The clients ended without a report');
      return report;
    },
  };
}

/**
 * As a process of its own (in another network namespace, on another core): options in the first argument, a message `stop` ends
 * it, the report is sent back, and every 100 ms how many requests have ended.
 */
if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  const load = startLoad(JSON.parse(process.argv[2]!) as LoadOptions);
  const timer = setInterval(() => process.send!({ requests: load.requests() }), 100);
  process.once('message', async () => {
    clearInterval(timer);
    process.send!({ report: await load.stop() }, () => process.disconnect());
  });
}
