import { request } from 'node:http';
import { until } from './agent-process.ts';

/** Where an entry point is reached: at a port of the loopback, or through a socket that leads to it (namespace-door.ts). */
export type Door = { readonly port: number } | { readonly socketPath: string };

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** `GET path` for a host, on a connection of its own. */
export const ask = (door: Door, host: string, path = '/'): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const address = 'port' in door ? { host: '127.0.0.1', ...door } : door;
    const outgoing = request({ ...address, path, headers: { Host: host }, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode!, text: text.trim() }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });

/** Milliseconds until this is answered behind all doors: the text with 200, or the status. */
export async function untilAllAnswer(doors: readonly Door[], host: string, expected: string | number, limitMs = 10_000): Promise<number> {
  const start = performance.now();
  await Promise.all(
    doors.map((door) =>
      until(async () => {
        const { status, text } = await ask(door, host);
        if (typeof expected === 'number' ? status === expected : status === 200 && text === expected) return true;
        throw new Error(`${host} is answered with ${status} ${text}, not ${expected}`);
      }, limitMs),
    ),
  );
  return performance.now() - start;
}

/** Asks for every host behind every door all the time; what is not answered with 200 is a failure. */
export function keepAsking(doors: readonly Door[], hosts: readonly string[]) {
  const failures: string[] = [];
  let count = 0;
  let isOver = false;
  const asking = doors.flatMap((door) =>
    hosts.map(async (host) => {
      while (!isOver) {
        const { status, text } = await ask(door, host).catch((error: Error) => ({ status: 0, text: error.message }));
        count++;
        if (status !== 200) failures.push(`${host} ${status} ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }),
  );
  return {
    async stop(): Promise<{ count: number; failures: readonly string[] }> {
      isOver = true;
      await Promise.all(asking);
      return { count, failures };
    },
  };
}
