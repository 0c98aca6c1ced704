import { boolean, object, string } from '../../base/schema.ts';

export const file = object(
  {
    filename: string('The file.'),
    directory: string('A folder whose YAML, TOML and JSON files are read.'),
    watch: boolean('Reads again after changes.', { default: true }),
    debugLogGeneratedTemplate: boolean('Logs what templates produced.'),
  },
  'Files.',
);
