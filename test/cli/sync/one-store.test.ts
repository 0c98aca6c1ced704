import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/cli/io.ts';
import { oneStoreCommand } from '../../../src/cli/sync/one-store.ts';
import { runCommand } from '../../support/command.ts';

const command = oneStoreCommand({
  name: 'edgeway sync look',
  usage: 'Usage: edgeway sync look STORE\n',
  options: { deep: 'switch', to: 'value' },
  async run(options, open, io) {
    const { client, root } = await open();
    io.stdout.write(`${client.name} ${root} ${JSON.stringify(options)}`);
    return 3;
  },
});

const withEnvironment =
  (env: Record<string, string>): Command =>
  (args, io) =>
    command(args, { ...io, env });

describe('a command about one store', () => {
  it.each<[string, string[], Record<string, string>, number, string]>([
    ['has a store', ['redis://127.0.0.1:1'], {}, 3, 'redis at 127.0.0.1:1 traefik {}'],
    ['has a store of the environment', [], { EDGEWAY_SYNC_TO: 'redis://127.0.0.1:1?rootKey=own' }, 3, 'redis at 127.0.0.1:1 own {}'],
    [
      'has options of its own',
      ['--deep', 'redis://127.0.0.1:1', '--to', 'x'],
      {},
      3,
      'redis at 127.0.0.1:1 traefik {"deep":["true"],"to":["x"]}',
    ],
    ['helps', ['-h'], {}, 0, 'Usage: edgeway sync look STORE\n'],
    ['refuses no store', [], {}, 2, 'edgeway sync look: name one store, as redis://host:6379\n'],
    ['refuses two stores', ['redis://a', 'redis://b'], {}, 2, 'edgeway sync look: name one store, as redis://host:6379\n'],
    ['refuses an unknown option', ['--nope'], {}, 2, 'edgeway sync look: there is no option --nope; known are --deep, --to, --help\n'],
  ])('%s', async (_name, args, env, status, text) => {
    const done = await runCommand(withEnvironment(env), args);
    expect([done.status, done.stdout + done.stderr]).toEqual([status, text]);
  });

  it('says what failed', async () => {
    const failing = oneStoreCommand({
      name: 'edgeway sync look',
      usage: '',
      options: {},
      async run() {
        throw new Error('the store is away');
      },
    });
    expect(await runCommand(failing, ['redis://a'])).toMatchObject({ status: 1, stderr: 'edgeway sync look: the store is away\n' });
  });
});
