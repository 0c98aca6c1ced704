import { jsonSchema } from '../../src/base/json-schema.ts';
import { type ReferenceRow, referenceRows } from '../../src/base/reference.ts';
import { REWRITINGS } from '../../src/config/static/removed.ts';
import { staticConfiguration } from '../../src/config/static.ts';

/** Files below the repository's root that follow from the schema of the static configuration. */
export function staticReference(): Record<string, string> {
  return { 'docs/schema/static.json': `${JSON.stringify(schema(), undefined, 2)}\n`, 'docs/reference/static.md': page() };
}

/** One file may be static and dynamic, and keep anchors under names that begin with `x-`. */
function schema(): Record<string, unknown> {
  const whole = jsonSchema(staticConfiguration);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Static configuration of Edgeway and Traefik 3.7',
    ...whole,
    properties: { ...(whole.properties as object), http: {}, tcp: {}, udp: {}, tls: {} },
    patternProperties: { '^x-': {} },
  };
}

function page(): string {
  const sections = Object.entries(staticConfiguration.fields!).map(([name, field]) => {
    const rows = referenceRows({ ...staticConfiguration, fields: { [name]: field } });
    return [`## ${name}`, '', field.summary, '', ...table(rows.slice(1).map((row) => ({ ...row, name: row.name }))), ''].join('\n');
  });
  return `${INTRODUCTION}\n${sections.join('\n')}\n${removed()}`;
}

const INTRODUCTION = `# The static configuration

What an agent starts with: entry points, providers, and what it says of itself. A change takes a restart. It is Traefik's, key by key;
what only Edgeway has stands under \`edge\`. This page is made from the schemas in \`src/config/static\` by \`npm run docs\`; editors complete a
file that says \`# yaml-language-server: $schema=…/docs/schema/static.json\`.

## Where it is read from

1. A file: \`--configFile\`, else \`traefik.toml\`, \`.yaml\` or \`.yml\` in \`/etc/traefik\`, \`$XDG_CONFIG_HOME\`, \`$HOME/.config\`, the working folder.
2. Flags: \`--entryPoints.web.address=:80\`, in any letter case; a switch needs no value; lists with commas, or the flag several times;
   lists of objects by index (\`domains[0].main\`).
3. Variables: \`TRAEFIK_ENTRYPOINTS_WEB_ADDRESS\` or \`EDGEWAY_…\`, which counts where both are set. Underscores part the names.

The first of these that says anything is the only one that is read; the start warns of the others. Only \`edge\` may be spread over all
three: flags count before variables before the file.

Durations are written as \`10s\`, \`1m30s\` or a number of seconds. An object that can be switched on alone takes \`{}\` or \`true\`. A value that may
be a file or its content is taken for content where no such file exists.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const table = (rows: readonly ReferenceRow[]): string[] =>
  rows.length === 0
    ? ['No options.']
    : [
        '| option | type | default | |',
        '|---|---|---|---|',
        ...rows.map(({ name, type, default: value, summary }) => `| \`${name}\` | ${cell(type)} | ${cell(value)} | ${cell(summary)} |`),
      ];

function removed(): string {
  const rows = REWRITINGS.map(
    ({ path, reason, works }) => `| \`${path}\` | ${works ? 'deprecated' : 'stops the start'} | ${cell(reason)} |`,
  );
  return ['## Options of version 2', '', '`edgeway migrate` rewrites them.', '', '| option | | why |', '|---|---|---|', ...rows, ''].join(
    '\n',
  );
}
