import { ConfigError, describe } from '../base/errors.ts';
import { readArguments, UsageError } from './arguments.ts';
import { readApi } from './explain/api.ts';
import { explainHttp, type Ground } from './explain/http.ts';
import { readRequest } from './explain/request.ts';
import { explainTcp, readConnection } from './explain/tcp.ts';
import { formatExplained } from './explain/text.ts';
import type { Command, Io } from './io.ts';
import { readSources } from './sources/read.ts';
import { mergeSources } from './sources/whole.ts';

export const usage = `Usage: edgeway explain SOURCE… METHOD URL [-H 'Name: value']…
       edgeway explain SOURCE… --tcp tls://name:port

Says which router takes a request and why, why each other one does not, its chain in order and where it runs, its service and its
servers. A source is what 'edgeway check' reads (static and dynamic files, folders, compose files, keys, '-'), or the address of a
running API of Edgeway or Traefik (http://127.0.0.1:8080).

  -H 'Name: value'    a header field of the request; Host sets the host
  --client ADDRESS    the client's address; default 127.0.0.1
  --entry-point NAME  the entry point; default is that of the URL's port
  --tcp ADDRESS       a connection instead: tls://name:port, or tcp://host:port without TLS
  --alpn PROTOCOL     with --tcp: a protocol that the client offers
  --all               shows also the routers of other hosts
  --json              the same for programs
  --root NAME         first part of labels and keys; default traefik

Exit codes: 0 a router takes it, 1 nobody does or the source is wrong, 2 wrong usage.
`;

const OPTIONS = {
  header: 'value',
  client: 'value',
  'entry-point': 'value',
  tcp: 'value',
  alpn: 'value',
  all: 'switch',
  json: 'switch',
  root: 'value',
  help: 'switch',
} as const;

export const run: Command = async (args, io) => {
  try {
    const { options, words } = readArguments(args, OPTIONS, { H: 'header', h: 'help' });
    if (options.help !== undefined) {
      io.stdout.write(usage);
      return 0;
    }
    const client = options.client?.at(-1) ?? '127.0.0.1';
    const how = { entryPoint: options['entry-point']?.at(-1), all: options.all !== undefined };
    const connection = options.tcp?.at(-1);
    const names = connection === undefined ? words.slice(0, -2) : [...words];
    if (names.length === 0) throw new UsageError('says nothing to explain; name a source, a method and a URL');
    const request = connection === undefined ? readRequest(words.at(-2)!, words.at(-1)!, options.header ?? [], client) : undefined;
    const ground = await readGround(names, options.root?.at(-1) ?? 'traefik', io);
    const known = ground.configuration.entryPoints ?? {};
    if (how.entryPoint !== undefined && known[how.entryPoint] === undefined)
      throw new UsageError(`there is no entry point '${how.entryPoint}'; there are ${Object.keys(known).join(', ')}`);
    const explained =
      request === undefined
        ? explainTcp(ground, readConnection(connection!, options.alpn ?? [], client), how)
        : explainHttp(ground, request, how);
    io.stdout.write(options.json === undefined ? formatExplained(explained) : `${JSON.stringify(explained, undefined, 2)}\n`);
    return explained.entryPoints.some(({ router }) => router !== undefined) ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`edgeway explain: ${error.message}\n\n${usage}`);
      return 2;
    }
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`edgeway explain: ${describe(error)}\n`);
    return 1;
  }
};

async function readGround(names: readonly string[], root: string, io: Io): Promise<Ground> {
  const [first] = names;
  if (/^https?:\/\//i.test(first!)) return readApi(first!);
  const sources = await readSources(names, io, { root });
  // What is wrong elsewhere may be why nobody takes the request.
  for (const { problems } of sources) for (const { error } of problems) io.stderr.write(`edgeway explain: ${describe(error)}\n`);
  return mergeSources(sources);
}
