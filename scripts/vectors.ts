import { join } from 'node:path';
import { readListed } from './vectors/cases.ts';

/**
 * `npm run vectors -- <topic> <folder>`: runs every case of a folder in that topic's format, ends with `equal N, different N, listed N`.
 * Intended differences are listed in the folder itself, else in our copy of the topic.
 */
const TOPICS = ['rules', 'labels', 'kv', 'static', 'file', 'merge', 'docker', 'swarm'] as const;

interface Outcome {
  readonly equal: number;
  readonly different: readonly string[];
  readonly listed: number;
}

const [topic, folder] = process.argv.slice(2);
if (topic === undefined || folder === undefined || !TOPICS.some((known) => known === topic)) {
  console.error(`Usage: npm run vectors -- TOPIC FOLDER\n\nTopics: ${TOPICS.join(', ')}`);
  process.exit(2);
}
const { run } = (await import(`./vectors/${topic}.ts`)) as { run(folder: string): Promise<Outcome> };
const outcome = await run(folder);
const own = [...readListed(join(import.meta.dirname, '../test/vectors', topic))];
const intended = (text: string): string | undefined => own.find((name) => text.startsWith(`${name}: `));
const different = outcome.different.filter((text) => intended(text) === undefined);
const listed = outcome.listed + new Set(outcome.different.map(intended).filter((name) => name !== undefined)).size;
for (const text of different) console.log(text);
console.log(`equal ${outcome.equal}, different ${different.length}, listed ${listed}`);
process.exitCode = different.length > 0 ? 1 : 0;
