import { type Command, processIo } from './io.ts';

interface Entry {
  readonly summary: string;
  /** Commands are read when they are called: the agent shall not carry what `migrate` needs. */
  readonly load: () => Promise<{ readonly run: Command }>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  dev: { summary: 'everything on this machine: Worker, hub, agent, demo servers', load: () => import('./dev.ts') },
  agent: {
    summary: 'serve, discover and publish on a host; takes the flags, variables and files of Traefik',
    load: () => import('./agent.ts'),
  },
  sync: { summary: 'plan and apply configuration to a target', load: () => import('./sync.ts') },
  edge: { summary: 'set up and operate the edge side', load: () => import('./edge.ts') },
  check: { summary: 'is this configuration sound?', load: () => import('./check.ts') },
  explain: { summary: 'which router takes this request, and why not the others?', load: () => import('./explain.ts') },
  migrate: { summary: 'rewrite what an older Traefik understood', load: () => import('./migrate.ts') },
  healthcheck: { summary: 'ask a running agent whether it is well', load: () => import('./healthcheck.ts') },
  version: { summary: 'print the version', load: () => import('./version.ts') },
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
  const command = COMMANDS[name === '--version' ? 'version' : name];
  if (command === undefined) {
    io.stderr.write(`edgeway: there is no command '${name}'; known are ${Object.keys(COMMANDS).join(', ')}\n`);
    return 2;
  }
  return (await command.load()).run(rest, io);
}

process.exitCode = await main(process.argv.slice(2));
