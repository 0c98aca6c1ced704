import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { consulPath } from '../../support/stores/consul.ts';
import { playScenes } from '../../support/stores/consul-play.ts';
import { SCENES, SECRETS } from '../../support/stores/consul-scenes.ts';
import { comparable, type Exchange, type Recording } from '../../support/stores/consul-tape.ts';

const recording = JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors/consul/recorded.json'), 'utf8')) as Recording;
const servers: [string, string | undefined][] = [['the stand-in', undefined]];
if (consulPath !== undefined) servers.push(['the Consul of the variable CONSUL', consulPath]);

/** How long a question waited, as it was asked: a tenth of the wait, all of it (a sixteenth more at most), or not to be said. */
const waited = ({ request, tookMs = 0 }: Exchange): string => {
  const askedMs = Number(/wait=(\d+)s/.exec(request.path)?.[1] ?? 0) * 1_000;
  return askedMs === 0 ? '' : tookMs >= askedMs ? 'all of it' : 'a part';
};

describe.each(servers)('%s answers as the recorded Consul', (_, path) => {
  let played: Recording['scenes'];
  beforeAll(async () => {
    played = await playScenes({ path });
  });

  it('in all scenes', () => expect(Object.keys(played)).toEqual(Object.keys(recording.scenes)));

  it.each(Object.keys(SCENES))('%s', (name) => {
    expect(comparable(played[name]!, SECRETS)).toEqual(comparable(recording.scenes[name]!, SECRETS));
    expect(played[name]!.map(waited)).toEqual(recording.scenes[name]!.map(waited));
  });
});
