import { run as agent } from './agent.ts';
import { run as check } from './check.ts';
import { run as dev } from './dev.ts';
import { run as edge } from './edge.ts';
import { run as explain } from './explain.ts';
import { run as healthcheck } from './healthcheck.ts';
import type { Command } from './io.ts';
import { processIo } from './io.ts';
import { run as migrate } from './migrate.ts';
import { run as sync } from './sync.ts';
import { run as version } from './version.ts';

/** Commands by name; the first line of their `usage` stands in the overview. */
const COMMANDS: Record<string, { run: Command; summary: string }> = {
  dev: { run: dev, summary: 'everything on this machine: Worker, hub, agent, demo servers' },
  agent: { run: agent, summary: 'serve, discover and publish on a host; takes the flags, variables and files of Traefik' },
  sync: { run: sync, summary: 'plan and apply configuration to a target' },
  edge: { run: edge, summary: 'set up and operate the edge side' },
  check: { run: check, summary: 'is this configuration sound?' },
  explain: { run: explain, summary: 'which router takes this request, and why not the others?' },
  migrate: { run: migrate, summary: 'rewrite what an older Traefik understood' },
  healthcheck: { run: healthcheck, summary: 'ask a running agent whether it is well' },
  version: { run: version, summary: 'print the version' },
};

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `edgeway: an edge router that speaks Traefik's configuration language\n\nUsage: edgeway COMMAND [OPTIONS]\n\n${rows.join('\n')}\n\n'edgeway COMMAND --help' tells more. Exit codes: 0 done, 1 something is wrong, 2 wrong usage.\n`;
}

async function main(args: readonly string[]): Promise<number> {
  const io = processIo();
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout.write(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') return version([], io);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    io.stderr.write(`edgeway: there is no command '${name}'; known are ${Object.keys(COMMANDS).join(', ')}\n`);
    return 2;
  }
  return command.run(rest, io);
}

process.exitCode = await main(process.argv.slice(2));
