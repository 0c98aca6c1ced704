import { type Document, type Format, formatOf, parseDocument } from '../../config/document.ts';
import { isTree, type Tree } from '../../config/static/tree.ts';
import { staticConfiguration } from '../../config/static.ts';

/** What a text is, by its content. */
export type Kind = 'static' | 'dynamic' | 'both' | 'compose' | 'keys' | 'nothing';

const DYNAMIC = new Set(['http', 'tcp', 'udp', 'tls']);
const STATIC = new Set(Object.keys(staticConfiguration.fields!).map((name) => name.toLowerCase()));

export function kindOf(tree: Tree): Kind {
  const names = Object.keys(tree).map((name) => name.toLowerCase());
  const services = tree.services;
  if (
    isTree(services) &&
    Object.values(services).some(
      (service) => isTree(service) && ('image' in service || 'build' in service || 'labels' in service || 'deploy' in service),
    )
  )
    return 'compose';
  if (names.length > 0 && Object.entries(tree).every(([key, value]) => key.includes('/') && !isTree(value))) return 'keys';
  const isStatic = names.some((name) => STATIC.has(name));
  const isDynamic = names.some((name) => DYNAMIC.has(name));
  if (isStatic && isDynamic) return 'both';
  return isStatic ? 'static' : isDynamic ? 'dynamic' : 'nothing';
}

/** The format of a text: by the extension of its name, else by its look. */
export function formatOfText(name: string, text: string): Format | 'pairs' {
  const known = formatOf(name);
  if (known !== undefined) return known;
  const first = /^(?!\s*(?:#|$)).+/m.exec(text)?.[0] ?? '';
  if (/^\s*\{/.test(first)) return 'json';
  if (/^[^\s:={}"']+\/[^\s:=,]*\s*[=,\t ]/.test(first)) return 'pairs';
  if (/^\s*\[.+\]\s*(#.*)?$/.test(first) || /^\s*[\w."-]+\s*=/.test(first)) return 'toml';
  return 'yaml';
}

export const parseTree = (name: string, text: string, format: Format): Document => parseDocument(text, format, name);
