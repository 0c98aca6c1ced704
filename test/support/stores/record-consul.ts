/**
 * `CONSUL=/path/to/consul node test/support/stores/record-consul.ts` plays the scenes to that Consul and writes
 * test/vectors/consul/recorded.json, against which the stand-in of the tests is held.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { consulPath } from './consul.ts';
import { playScenes } from './consul-play.ts';
import type { Recording } from './consul-tape.ts';

if (consulPath === undefined) {
  console.error('record-consul: CONSUL=/path/to/consul names no program');
  process.exit(1);
}
const version = /^Consul v?(\S+)/.exec(spawnSync(consulPath, ['version'], { encoding: 'utf8' }).stdout)?.[1] ?? 'unknown';
const scenes = await playScenes({ path: consulPath });
const file = join(import.meta.dirname, '../../vectors/consul/recorded.json');
const recording: Recording = { consul: version, scenes };
// One line for each exchange.
const lines = Object.entries(recording.scenes).map(
  ([name, exchanges]) => `${JSON.stringify(name)}: [\n${exchanges.map((one) => JSON.stringify(one)).join(',\n')}\n]`,
);
writeFileSync(file, `{"consul": ${JSON.stringify(recording.consul)}, "scenes": {\n${lines.join(',\n')}\n}}\n`);
console.log(
  `Consul ${version}: ${Object.values(scenes).reduce((sum, { length }) => sum + length, 0)} exchanges of ${Object.keys(scenes).length} scenes`,
);
