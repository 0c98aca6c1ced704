import { boolean, object, string } from '../../base/schema.ts';

export const file = object(
  {
    filename: string('A .yml, .yaml or .toml file.'),
    directory: string('A folder, read with all folders below it; wins over `filename`.'),
    watch: boolean('Reads again when a file changes.', { default: true }),
    debugLogGeneratedTemplate: boolean('Logs what the templates give.'),
  },
  'Files.',
);
