import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describe } from '../base/errors.ts';
import type { PublisherKind } from '../config/hub-protocol.ts';
import { checkPublisherName } from '../config/publication.ts';
import { createHubClient } from '../kv-sync/hub-client.ts';
import { parseHubUrl } from '../kv-sync/hub-url.ts';
import { openIdentity } from '../kv-sync/identity.ts';
import { createOperatorClient, keepSession, type OperatorClient, openSession, readSession } from '../kv-sync/operator-client.ts';
import { systemClock } from '../origin-agent/clock.ts';
import { init, KEY_NAMES, type KeyName } from './edge-init.ts';
import { formatDiff, formatHistory, formatStatus } from './edge-output.ts';
import type { Command, Io } from './io.ts';

export const usage = `Usage: edgeway edge COMMAND [options]

Set up:
  init                  make keys, set them as secrets of the Worker with wrangler, print an admin token and enrolment codes
      --print             print the secrets as JSON instead of setting them
      --worker NAME       the Worker, where it is not that of wrangler.toml
      --codes N           how many enrolment codes (default: 1)
      --name NAME         an enrolment code for this name alone; may be repeated
      --only KEY          make only this key anew: grant, next-grant, seal, admin; may be repeated
  login                 open a session with the admin token (from --token, EDGEWAY_ADMIN_TOKEN or standard input)
      --hub URL           control host of the Worker (or EDGEWAY_EDGE_HUB_URL)
      --as NAME           who you are in the history (default: your user name)
  enrol                 enrol the key pair of this machine without starting an agent
      --hub URL --name NAME --code CODE (or EDGEWAY_EDGE_CODE)
      --kind KIND         agent (default) or sync

Operate, after login:
  status                revision, publishers and their leases, conflicts, objects that are left out
  history               who changed what, and when; --limit N (default: 20)
  diff FROM [TO]        what changed between two revisions; TO is the one in force by default
  rollback REVISION     put an earlier revision in force, until it is released
  release               end a roll-back
  codes                 make enrolment codes; --codes N, --name NAME, --replace (an enrolled name gets a new key)
  remove PUBLISHER      remove a publisher, what it published and its key

  --state DIRECTORY     where keys and session are kept (default: ./edgeway-state)
  --json                print what programs read

Exit codes: 0 done, 1 something is wrong, 2 wrong usage.
`;

class Misuse extends Error {}

export const run: Command = async (args, io) => {
  try {
    const [command, ...rest] = args;
    if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
      io.stdout.write(usage);
      return command === undefined ? 2 : 0;
    }
    if (!Object.hasOwn(COMMANDS, command))
      throw new Misuse(`there is no command '${command}'; known are ${Object.keys(COMMANDS).join(', ')}`);
    const { values, positionals } = parse(rest);
    if (values.help) {
      io.stdout.write(usage);
      return 0;
    }
    await COMMANDS[command]!({ values, positionals, io, state: resolve(io.cwd, values.state ?? './edgeway-state') });
    return 0;
  } catch (error) {
    const isMisuse = error instanceof Misuse || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    io.stderr.write(`edgeway edge: ${describe(withCause(error))}\n${isMisuse ? "'edgeway edge --help' tells more.\n" : ''}`);
    return isMisuse ? 2 : 1;
  }
};

/** `fetch failed` says nothing; its cause does. */
function withCause(error: unknown): unknown {
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) return error;
  return new Error(`The hub cannot be reached: ${error.cause.message || (error.cause as NodeJS.ErrnoException).code}`);
}

const parse = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      print: { type: 'boolean' },
      worker: { type: 'string' },
      codes: { type: 'string' },
      name: { type: 'string', multiple: true },
      only: { type: 'string', multiple: true },
      token: { type: 'string' },
      hub: { type: 'string' },
      as: { type: 'string' },
      code: { type: 'string' },
      kind: { type: 'string' },
      limit: { type: 'string' },
      replace: { type: 'boolean' },
      state: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });

interface Call {
  readonly values: ReturnType<typeof parse>['values'];
  readonly positionals: readonly string[];
  readonly io: Io;
  readonly state: string;
}

const COMMANDS: Readonly<Record<string, (call: Call) => Promise<void>>> = {
  async init({ values, io }) {
    const only = values.only ?? [];
    const unknown = only.find((name) => !KEY_NAMES.includes(name as KeyName));
    if (unknown !== undefined) throw new Misuse(`there is no key '${unknown}'; known are ${KEY_NAMES.join(', ')}`);
    await init(
      {
        print: values.print === true,
        worker: values.worker,
        codes: values.codes === undefined ? (values.name === undefined && only.length === 0 ? 1 : 0) : readNumber(values.codes, '--codes'),
        names: values.name ?? [],
        only: only as KeyName[],
      },
      io,
      Date.now(),
    );
  },

  async login({ values, io, state }) {
    const hub = hubOf(values, io);
    const token = values.token ?? io.env.EDGEWAY_ADMIN_TOKEN ?? (await readAll(io.stdin));
    if (token.trim() === '') throw new Misuse('give the admin token with --token, EDGEWAY_ADMIN_TOKEN or on standard input');
    const session = await openSession(hub, token.trim(), values.as ?? userInfo().username);
    keepSession(state, session);
    io.stdout.write(`Logged in at ${hub} until ${new Date(session.expiresAt).toISOString()}.\n`);
  },

  async enrol({ values, io, state }) {
    const hub = hubOf(values, io);
    const name = one(values.name, '--name');
    const problem = checkPublisherName(name);
    if (problem !== undefined) throw new Misuse(problem);
    const kind = values.kind ?? 'agent';
    if (kind !== 'agent' && kind !== 'sync') throw new Misuse(`there is no kind '${kind}'; agent and sync are`);
    const code = values.code ?? io.env.EDGEWAY_EDGE_CODE;
    if (code === undefined) throw new Misuse('give the enrolment code with --code or EDGEWAY_EDGE_CODE');
    const store = await openIdentity(state);
    const client = createHubClient({ url: hub, name, identity: store.identity(), clock: systemClock });
    store.enrol({ hub, name, keys: await client.enrol(code, kind satisfies PublisherKind) });
    io.stdout.write(`'${name}' is enrolled at ${hub}; its key is in ${state}.\n`);
  },

  async status(call) {
    print(call, await operator(call).status(), formatStatus);
  },

  async history(call) {
    print(
      call,
      await operator(call).history(call.values.limit === undefined ? 20 : readNumber(call.values.limit, '--limit')),
      formatHistory,
    );
  },

  async diff(call) {
    const [first, last] = call.positionals;
    if (first === undefined) throw new Misuse('name a revision');
    const from = readNumber(first, 'FROM');
    const to = last === undefined ? undefined : readNumber(last, 'TO');
    const client = operator(call);
    print(call, await client.diff(from, to ?? (await client.status()).revision), formatDiff);
  },

  async rollback(call) {
    const [text] = call.positionals;
    if (text === undefined) throw new Misuse('name a revision');
    const revision = readNumber(text, 'REVISION');
    print(call, await operator(call).rollback(revision), formatStatus);
  },

  async release(call) {
    print(call, await operator(call).release(), formatStatus);
  },

  async codes(call) {
    const { codes, name, replace } = call.values;
    const wanted = {
      count: codes === undefined ? 1 : readNumber(codes, '--codes'),
      ...(name && { name: one(name, '--name') }),
      ...(replace && { replace }),
    };
    if (replace && name === undefined) throw new Misuse('--replace wants --name');
    print(call, await operator(call).codes(wanted), (made) => `${made.join('\n')}\n`);
  },

  async remove(call) {
    const [name] = call.positionals;
    if (name === undefined) throw new Misuse('name a publisher');
    print(call, await operator(call).remove(name), formatStatus);
  },
};

const operator = ({ state }: Call): OperatorClient => createOperatorClient(readSession(state, Date.now()));

function print<T>({ values, io }: Call, value: T, format: (value: T) => string): void {
  io.stdout.write(values.json ? `${JSON.stringify(value, null, 2)}\n` : format(value));
}

function hubOf(values: Call['values'], io: Io): string {
  const hub = values.hub ?? io.env.EDGEWAY_EDGE_HUB_URL;
  if (hub === undefined) throw new Misuse('give the control host of the Worker with --hub https://…');
  return parseHubUrl(hub, '--hub');
}

function one(values: readonly string[] | undefined, option: string): string {
  if (values?.length !== 1) throw new Misuse(`give one ${option}`);
  return values[0]!;
}

function readNumber(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Misuse(`${name} '${text}' is no number`);
  return Number(text);
}

async function readAll(input: Io['stdin']): Promise<string> {
  let text = '';
  for await (const chunk of input) text += String(chunk);
  return text;
}
