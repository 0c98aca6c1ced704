import { request } from 'node:http';
import { describe } from '../base/errors.ts';
import { silentLogger } from '../base/log.ts';
import { systemClock } from '../origin-agent/clock.ts';
import { parseListenAddress } from '../origin-agent/listen-address.ts';
import { readStartConfiguration } from '../origin-agent/static-configuration.ts';
import type { Command } from './io.ts';

export const usage = `Usage: edgeway healthcheck [the agent's own flags]

Asks /ping of the agent that runs with the same static configuration. Exit code 0 when it answers 200.
`;

export const run: Command = async (args, io) => {
  if (args.includes('--help')) {
    io.stdout.write(usage);
    return 0;
  }
  const context = { clock: systemClock, log: silentLogger, patienceMs: 0, copyPatienceMs: 0 };
  const { configuration, problems, store } = await readStartConfiguration(args, io.env, io.cwd, context);
  await store?.close();
  if (configuration === undefined) {
    for (const problem of problems) io.stderr.write(`edgeway: ${describe(problem)}\n`);
    return 1;
  }
  const name = configuration.ping?.entryPoint ?? 'traefik';
  const entryPoint = configuration.entryPoints?.[name];
  if (configuration.ping === undefined || entryPoint === undefined) {
    io.stderr.write(`edgeway: ping is not switched on; write 'ping: {}' into the static configuration or give --ping\n`);
    return 1;
  }
  const { host = '127.0.0.1', port } = parseListenAddress(entryPoint.address ?? ':8080', `entryPoints.${name}.address`);
  const status = await headStatus(host, port);
  io.stdout.write(status === 200 ? `OK: http://${host}:${port}/ping\n` : `Bad healthcheck status: ${status}\n`);
  return status === 200 ? 0 : 1;
};

/** Status of `HEAD /ping`; 0 when nothing answers within 5 s. */
function headStatus(host: string, port: number): Promise<number> {
  return new Promise((resolve) => {
    // A connection that were kept would keep this process too.
    const outgoing = request({ host, port, method: 'HEAD', path: '/ping', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    const stop = systemClock.after(5_000, () => outgoing.destroy());
    outgoing.on('error', () => resolve(0));
    outgoing.on('close', stop);
    outgoing.end();
  });
}
