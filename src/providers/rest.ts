import { ConfigError, describe } from '../base/errors.ts';
import { parseDocument } from '../config/document.ts';
import { loadTree } from '../config/load.ts';
import { rest } from '../config/static/rest.ts';
import { inlineFiles } from './inline-files.ts';
import { defineProvider, type ProviderMessage } from './provider.ts';

export const restProvider = defineProvider({
  kind: 'rest',
  suffix: 'rest',
  summary: 'Configurations that are sent here with PUT /api/providers/rest; each takes the place of the last, none outlives the program.',
  options: rest,
  isQuiet: true,
  watch: (_, { inbox, signal }) => inbox?.messages(signal) ?? nothing(),
});

async function* nothing(): AsyncGenerator<ProviderMessage> {}

const SOURCE = 'PUT /api/providers/rest';

/**
 * What the JSON of a PUT says. Who sent it waits for the answer, so that it is taken as a whole or not at all: throws ConfigError
 * with all that is wrong.
 */
export async function readPut(text: string): Promise<ProviderMessage> {
  if (text.trim() === '') throw new ConfigError('config.syntax', 'The body is empty; send a configuration as JSON', { source: SOURCE });
  const document = parseDocument(text, 'json', SOURCE);
  const { configuration, problems } = loadTree(document.tree, 'machine', (path) => ({ source: SOURCE, line: document.lineOf(path) }));
  const inlined = await inlineFiles(configuration, SOURCE);
  const [first, ...others] = [...problems, ...inlined.problems];
  if (first === undefined) return { configuration: inlined.configuration, problems: [] };
  throw new ConfigError(first.code, [first, ...others].map(describe).join('\n'));
}
