import { type Document, isMap, isScalar, isSeq, parseAllDocuments, type Scalar, type YAMLMap } from 'yaml';
import { equal } from '../../config/merge/equal.ts';
import type { Migration, Note } from '../../config/migrate/document.ts';
import { migrateDocument } from '../../config/migrate/document.ts';
import { migrateEntry, migrateFlags } from '../../config/migrate/flat.ts';
import { migrateRule } from '../../config/migrate/rule.ts';
import type { Edit } from '../../config/static/removed.ts';
import type { Tree } from '../../config/static/tree.ts';
import { kindOf } from '../../kv-sync/sources/detect.ts';

export interface MigratedText {
  readonly text: string;
  readonly notes: readonly Note[];
}

/** A YAML text with its comments: files, compose files, manifests of Kubernetes. Throws an Error where it is no YAML. */
export function migrateYaml(text: string): MigratedText {
  const documents = parseAllDocuments(text, { merge: true, keepSourceTokens: true }) as Document[];
  const notes: Note[] = [];
  let isChanged = false;
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(error.message.split('\n')[0]);
    const tree = (document.toJS() ?? {}) as Tree;
    const before = notes.length;
    const changed =
      typeof tree.apiVersion === 'string' && typeof tree.kind === 'string'
        ? migrateManifest(document, tree, notes)
        : migrateFile(document, tree, notes);
    isChanged ||= changed || notes.slice(before).some(({ byHand }) => !byHand);
  }
  if (!isChanged) return { text, notes };
  const written = documents.map((document) =>
    document.toString({ lineWidth: 0, indentSeq: !/(^|\n)( *)[^\s#-].*:\n\2- /.test(text), flowCollectionPadding: /[{[] /.test(text) }),
  );
  return { text: written.join(''), notes };
}

function migrateFile(document: Document, tree: Tree, notes: Note[]): boolean {
  if (kindOf(tree) === 'compose') return migrateCompose(document, notes);
  const migration: Migration = migrateDocument(tree);
  notes.push(...migration.notes);
  for (let i = 0; i < migration.edits.length; i++) {
    const [edit, next] = [migration.edits[i]!, migration.edits[i + 1]];
    if (next !== undefined && rename(document, edit, next)) i++;
    else applyEdit(document, edit);
  }
  return migration.edits.length > 0;
}

/** An option that only gets another name keeps its place, its form and its comments. */
function rename(document: Document, edit: Edit, next: Edit): boolean {
  if (!('remove' in edit) || !('set' in next)) return false;
  const [parent, target] = [edit.remove.slice(0, -1), next.set.slice(0, -1)];
  if (parent.length !== target.length || parent.some((part, i) => part !== target[i])) return false;
  const map = parent.length === 0 ? document.contents : document.getIn(parent, true);
  if (!isMap(map)) return false;
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === edit.remove.at(-1));
  if (pair === undefined || !isScalar(pair.key) || !equal((pair.value as { toJSON(): unknown } | null)?.toJSON(), next.value)) return false;
  pair.key.value = next.set.at(-1);
  return true;
}

function applyEdit(document: Document, edit: Edit): void {
  if ('set' in edit) {
    const old = document.getIn(edit.set, true);
    // The quotes of a text stay.
    if (isScalar(old) && typeof edit.value === 'string') (old as Scalar).value = edit.value;
    else document.setIn(edit.set, edit.value === undefined ? undefined : document.createNode(edit.value));
    return;
  }
  if (!document.hasIn(edit.remove)) return;
  document.deleteIn(edit.remove);
  // A section that lost its last option would be refused as empty.
  for (let path = edit.remove.slice(0, -1); path.length > 0; path = path.slice(0, -1)) {
    const parent = document.getIn(path, true);
    if (!isMap(parent) || parent.items.length > 0) return;
    document.deleteIn(path);
  }
}

function migrateCompose(document: Document, notes: Note[]): boolean {
  const services = document.get('services', true);
  if (!isMap(services)) return false;
  let changed = false;
  for (const { value: service } of services.items) {
    if (!isMap(service)) continue;
    const deploy = service.get('deploy', true);
    for (const labels of [service.get('labels', true), isMap(deploy) ? deploy.get('labels', true) : undefined])
      changed = migrateLabels(document, labels, notes) || changed;
    changed = migrateCommand(document, service, notes) || changed;
  }
  return changed;
}

/** Compose puts variables in place of `$NAME`; a dollar sign is written twice. */
function migrateLabels(document: Document, labels: unknown, notes: Note[]): boolean {
  let changed = false;
  const take = (name: string, value: string): { name: string | undefined; value: string } => {
    const plain = value.replaceAll('$$', '$');
    const migrated = migrateEntry(name, plain, '.');
    if (migrated.note !== undefined) notes.push(migrated.note);
    if (migrated.name !== name || migrated.value !== plain) changed = true;
    return migrated.value === plain ? { ...migrated, value } : { ...migrated, value: migrated.value.replace(/\$(?!\{)/g, '$$$$') };
  };
  if (isSeq(labels)) {
    labels.items = labels.items.filter((item) => {
      if (!isScalar(item) || typeof item.value !== 'string') return true;
      const equals = item.value.indexOf('=');
      if (equals === -1) return true;
      const { name, value } = take(item.value.slice(0, equals), item.value.slice(equals + 1));
      if (name !== undefined) item.value = `${name}=${value}`;
      return name !== undefined;
    });
  } else if (isMap(labels)) {
    labels.items = (labels as YAMLMap<Scalar, Scalar>).items.filter((pair) => {
      if (!isScalar(pair.key) || !isScalar(pair.value)) return true;
      const written = String(pair.value.value ?? '');
      const { name, value } = take(String(pair.key.value), written);
      if (name !== undefined && name !== pair.key.value) pair.key = document.createNode(name) as Scalar;
      if (value !== written) pair.value.value = value;
      return name !== undefined;
    });
  }
  return changed;
}

function migrateCommand(document: Document, service: YAMLMap, notes: Note[]): boolean {
  const command = service.get('command', true);
  if (!isSeq(command)) return false;
  const words = command.items.map((item) => (isScalar(item) ? String(item.value) : ''));
  if (!words.some((word) => /^--(providers|entrypoints|experimental|pilot|tracing|metrics|certificatesresolvers|core)\b/i.test(word)))
    return false;
  const migrated = migrateFlags(words);
  if (migrated === undefined) return false;
  notes.push(...migrated.notes);
  const kept = new Set(migrated.words);
  command.items = [
    ...command.items.filter((item) => isScalar(item) && kept.has(String(item.value))),
    ...migrated.words.filter((word) => !words.includes(word)).map((word) => document.createNode(word)),
  ];
  return true;
}

/** Objects of Traefik in Kubernetes: their group, the rules of their routes, renamed words. */
function migrateManifest(document: Document, { apiVersion, kind, spec }: Tree, notes: Note[]): boolean {
  let changed = false;
  const group = /^traefik\.containo\.us\/(.*)$/.exec(apiVersion as string);
  if (group !== null) {
    document.set('apiVersion', `traefik.io/${group[1]}`);
    notes.push({ object: `${kind}`, message: 'rewritten: the group is traefik.io', byHand: false });
    changed = true;
  } else if (!/^traefik\.io\//.test(apiVersion as string)) return false;
  const routes = (spec as Tree | undefined)?.routes;
  if (kind === 'IngressRoute' || kind === 'IngressRouteTCP') {
    for (const [index, route] of (Array.isArray(routes) ? routes : []).entries()) {
      const { match, syntax } = route as { match?: string; syntax?: string };
      if (typeof match !== 'string' || syntax === 'v3') continue;
      const migrated = migrateRule(match, kind === 'IngressRoute' ? 'http' : 'tcp');
      if (migrated.note !== undefined)
        notes.push({ object: `${kind} routes[${index}]`, message: `the rule ${migrated.note}`, byHand: true });
      if (migrated.rule !== match) {
        const node = document.getIn(['spec', 'routes', index, 'match'], true);
        if (isScalar(node)) node.value = migrated.rule;
        changed = true;
      }
      if (syntax !== undefined && migrated.note === undefined) changed = document.deleteIn(['spec', 'routes', index, 'syntax']) || changed;
    }
  }
  const middleware = document.get('spec', true);
  if ((kind === 'Middleware' || kind === 'MiddlewareTCP') && isMap(middleware) && middleware.has('ipWhiteList')) {
    middleware.set('ipAllowList', middleware.get('ipWhiteList', true));
    middleware.delete('ipWhiteList');
    notes.push({ object: `${kind}`, message: 'rewritten: ipWhiteList was renamed to ipAllowList', byHand: false });
    changed = true;
  }
  return changed;
}
