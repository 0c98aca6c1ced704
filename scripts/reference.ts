import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jsonSchema } from '../src/base/json-schema.ts';
import { referenceRows } from '../src/base/reference.ts';
import type { Schema } from '../src/base/schema.ts';
import { dynamicConfiguration } from '../src/config/dynamic.ts';
import { HTTP_MIDDLEWARES, TCP_MIDDLEWARES } from '../src/middlewares/index.ts';
import type { MiddlewareDefinition } from '../src/middlewares/middleware.ts';
import { staticReference } from './reference/static.ts';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const NOTE = 'Written by `npm run docs` from the schemas; edit those.';

/** Every generated file of `docs/` by its path there. */
export function generate(): Map<string, string> {
  const files = new Map(Object.entries(staticReference()).map(([path, text]) => [path.replace(/^docs\//, ''), text]));
  const { http, tcp, udp, tls } = dynamicConfiguration.fields as Record<string, Schema>;
  files.set('schema/dynamic.json', dynamicSchema());
  files.set('reference/http.md', kindsPage('HTTP', 'http', http!));
  files.set('reference/tcp.md', kindsPage('TCP', 'tcp', tcp!));
  files.set('reference/udp.md', kindsPage('UDP', 'udp', udp!));
  files.set('reference/tls.md', kindsPage('TLS', 'tls', tls!));
  for (const definition of words()) files.set(`reference/middlewares/http/${definition.kind}.md`, middlewarePage(definition));
  for (const { kind, summary, options } of Object.values(TCP_MIDDLEWARES))
    files.set(`reference/middlewares/tcp/${kind}.md`, page(`${kind} (TCP)`, summary, options));
  files.set('reference/README.md', index());
  return files;
}

/** The words that users can write. */
const words = (): MiddlewareDefinition[] =>
  Object.values(HTTP_MIDDLEWARES as Record<string, MiddlewareDefinition>).filter(({ internal }) => !internal);

/** Unknown names at the top of a document are for anchors and notes. */
function dynamicSchema(): string {
  const { minProperties: _, ...rest } = jsonSchema(dynamicConfiguration);
  const title = 'Dynamic configuration of Edgeway and Traefik 3.7';
  return `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...rest, additionalProperties: true }, null, 2)}\n`;
}

function page(title: string, summary: string, schema: Schema): string {
  return `# ${title}\n\n${NOTE}\n\n${summary}\n\n${table(schema)}`;
}

function table(schema: Schema): string {
  const rows = referenceRows(schema);
  if (rows.length === 0) return 'No options.\n';
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const lines = rows.map((row) => `| \`${row.name}\` | ${cell(row.type)} | ${cell(row.default)} | ${cell(row.summary)} |`);
  return `| option | type | default | |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}

/** One part for each kind of object; middlewares have pages of their own. */
function kindsPage(title: string, section: string, schema: Schema): string {
  const parts = Object.entries(schema.fields!)
    .filter(([kind]) => kind !== 'middlewares')
    .map(([kind, field]) => `## ${section}.${kind}\n\n${field.summary}\n\n${table(field.items!)}`);
  return `# ${title}\n\n${NOTE}\n\n${parts.join('\n')}`;
}

function middlewarePage({ kind, summary, options, edge, create, expand }: MiddlewareDefinition): string {
  const place =
    edge === true
      ? 'Runs at the edge and in the agent.'
      : typeof edge === 'string'
        ? `Runs in the agent only: ${edge}.`
        : 'Runs at the edge where its options allow it, else in the agent.';
  const state = create === undefined && expand === undefined ? ' Nobody implements it yet: a router that uses it is disabled.' : '';
  return `# ${kind}\n\n${NOTE}\n\n${summary} ${place}${state}\n\n${table(options)}`;
}

function index(): string {
  const http = words().map(({ kind, summary }) => `- [${kind}](middlewares/http/${kind}.md): ${summary}`);
  const tcp = Object.values(TCP_MIDDLEWARES).map(({ kind, summary }) => `- [${kind}](middlewares/tcp/${kind}.md): ${summary}`);
  return `# Reference

${NOTE}

- [Static configuration](static.md): what the agent is started with
- Dynamic configuration: [HTTP](http.md), [TCP](tcp.md), [UDP](udp.md), [TLS](tls.md)
- JSON Schema for editors: [dynamic](../schema/dynamic.json), [static](../schema/static.json); the first line of a YAML file may say
  \`# yaml-language-server: $schema=…/docs/schema/dynamic.json\`
- [Templates](../templates.md) in files and default rules

## HTTP middlewares

${http.join('\n')}

## TCP middlewares

${tcp.join('\n')}
`;
}

/** Files below `docs/` that only this script writes. */
export function generatedOnDisk(): Map<string, string> {
  const files = new Map<string, string>();
  for (const folder of ['reference', 'schema'])
    for (const entry of readdirSync(join(docs, folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) {
        const path = join(entry.parentPath, entry.name);
        files.set(relative(docs, path), readFileSync(path, 'utf8'));
      }
  return files;
}

if (import.meta.main) {
  for (const folder of ['reference', 'schema']) rmSync(join(docs, folder), { recursive: true, force: true });
  for (const [path, text] of generate()) {
    mkdirSync(dirname(join(docs, path)), { recursive: true });
    writeFileSync(join(docs, path), text);
  }
}
