import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startLoadProcess } from '../../scripts/swarm/load.ts';
import { makeNamespace, type Namespace, NO_NAMESPACE } from '../../scripts/swarm/namespace.ts';
import { until } from '../support/agent-process.ts';
import { describeUnless } from '../support/describe-unless.ts';

const EDGEWAY = fileURLToPath(new URL('../../bin/edgeway', import.meta.url));
const WHOAMI = fileURLToPath(new URL('../../scripts/swarm/whoami.ts', import.meta.url));
const CLIENT = fileURLToPath(new URL('../support/long-client.ts', import.meta.url));

/** Requests of every client in a row, through so many agents one after the other. */
const SUCCESSORS = 3;

describeUnless(NO_NAMESPACE, 'edge.takeover', () => {
  let place: Namespace;
  beforeEach(async () => {
    place = makeNamespace('net.ipv4.tcp_migrate_req=1');
    place.enter(['env', 'PORT=9000', process.execPath, WHOAMI], 'whoami.log');
    writeFileSync(
      join(place.folder, 'dynamic.yml'),
      `http:
  routers: {whoami: {rule: "Host(\`whoami\`)", service: whoami}}
  services: {whoami: {loadBalancer: {servers: [{url: "http://127.0.0.1:9000"}]}}}
tcp:
  routers: {echo: {rule: "HostSNI(\`*\`)", service: echo, entryPoints: [stream]}}
  services: {echo: {loadBalancer: {servers: [{address: "127.0.0.1:9001"}]}}}
`,
    );
  });
  afterEach(() => place.remove());

  const start = (name: string, ...flags: string[]) =>
    place.enter(
      [
        ...[
          EDGEWAY,
          'agent',
          '--entryPoints.web.address=:8000',
          '--entryPoints.stream.address=:8001',
          '--entryPoints.datagrams.address=:8002/udp',
        ],
        ...['--providers.file.filename=dynamic.yml', '--log.level=INFO', '--edge.stateDirectory=state', '--edge.threads=2', ...flags],
      ],
      `${name}.log`,
    );
  const says = (name: string, text: string): Promise<unknown> =>
    until(() => place.read(`${name}.log`).includes(text), 20_000).catch(() => {
      throw new Error(`${name} never said '${text}'. It said:\n${place.read(`${name}.log`)}`);
    });

  it('a new agent takes over under load: no request and no connection is lost', async () => {
    const agents = [start('agent-0', '--edge.takeover=true')];
    await says('agent-0', 'Serving');
    const long = place.enter([process.execPath, CLIENT, '8001', '9001'], 'long.log');
    await says('long', 'echoed');
    await until(() => place.read('whoami.log') === '');
    const load = startLoadProcess(place.enter, { host: '127.0.0.1', port: 8000, name: 'whoami', newConnectionEach: 2 });
    await until(() => load.requests() > 500, 20_000);
    for (let i = 1; i <= SUCCESSORS; i++) {
      agents.push(start(`agent-${i}`, '--edge.takeover=true'));
      await says(`agent-${i}`, 'Serving');
      await says(`agent-${i - 1}`, 'A successor takes over');
      const seen = load.requests();
      await until(() => load.requests() > seen + 500, 20_000);
    }
    const report = await load.stop();
    expect(report.failures).toEqual({});
    // The first agent keeps the connection that it has; those between have nothing left to do.
    await until(() => agents[1]!.exitCode === 0 && agents[2]!.exitCode === 0, 20_000);
    expect(agents[0]!.exitCode).toBe(null);
    expect(place.read('long.log')).not.toContain('closed');
    long.send('stop');
    await until(() => agents[0]!.exitCode === 0, 20_000);
    expect(place.read('long.log')).toContain('whole');
    console.log(`take-over ×${SUCCESSORS}: ${report.requests} requests, ${report.failed} failed`);
  });

  it('without the option a second agent is told who holds a port, of UDP too', async () => {
    start('agent-0');
    await says('agent-0', 'Serving');
    for (const [name, address] of [
      ['agent-1', ':8000'],
      ['agent-2', ':8002/udp'],
    ] as const) {
      const next = place.enter([EDGEWAY, 'agent', `--entryPoints.one.address=${address}`], `${name}.log`);
      await until(() => next.exitCode === 1, 20_000);
      expect(place.read(`${name}.log`)).toMatch(
        new RegExp(`Cannot listen on '${address}': node \\(process \\d+\\) listens there; stop it or choose another port`),
      );
    }
  });

  it('an agent that cannot read its sources takes nothing over', async () => {
    start('agent-0', '--edge.takeover=true');
    await says('agent-0', 'Serving');
    const second = start('agent-1', '--edge.takeover=true', '--entryPoints.other.address=:9000');
    await until(() => second.exitCode === 1, 20_000);
    expect(place.read('agent-1.log')).toContain("Cannot listen on ':9000'");
    const third = start('agent-2', '--edge.takeover=true');
    await says('agent-2', 'Took over');
    expect(third.exitCode).toBe(null);
  });
});
