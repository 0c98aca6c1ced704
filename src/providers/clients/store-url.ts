import { decode } from '../../base/decode.ts';
import { ConfigError, nearest } from '../../base/errors.ts';
import type { Schema } from '../../base/schema.ts';
import { treeOf } from '../../config/flat.ts';
import { consul, etcd, redis, zooKeeper } from '../../config/static/stores.ts';
import type { StoreKind, StoreOptions } from './open-store.ts';

export interface StoreUrl<Kind extends StoreKind = StoreKind> {
  readonly kind: Kind;
  readonly options: StoreOptions[Kind];
  readonly rootKey: string;
}

interface Form {
  readonly kind: StoreKind;
  readonly schema: Schema;
  readonly port: number;
  readonly tls?: boolean;
  /** What the parts of the path say. */
  readonly path: readonly string[];
}

const FORMS: Readonly<Record<string, Form>> = {
  redis: { kind: 'redis', schema: redis, port: 6379, path: ['db'] },
  rediss: { kind: 'redis', schema: redis, port: 6379, tls: true, path: ['db'] },
  'redis+sentinel': { kind: 'redis', schema: redis, port: 26_379, path: ['sentinel.masterName', 'db'] },
  'rediss+sentinel': { kind: 'redis', schema: redis, port: 26_379, tls: true, path: ['sentinel.masterName', 'db'] },
  etcd: { kind: 'etcd', schema: etcd, port: 2379, path: ['rootKey'] },
  etcds: { kind: 'etcd', schema: etcd, port: 2379, tls: true, path: ['rootKey'] },
  consul: { kind: 'consul', schema: consul, port: 8500, path: ['rootKey'] },
  consuls: { kind: 'consul', schema: consul, port: 8500, tls: true, path: ['rootKey'] },
  zookeeper: { kind: 'zooKeeper', schema: zooKeeper, port: 2181, path: ['rootKey'] },
};

/** Whether a text means a store, and not a file or the URL of a hub. */
export const isStoreUrl = (text: string): boolean => /^([a-z+]+):\/\//i.test(text) && FORMS[schemeOf(text)] !== undefined;

const schemeOf = (text: string): string => text.slice(0, text.indexOf('://')).toLowerCase();

/**
 * `redis://user:password@host:6379,host2:6379/0?rootKey=traefik&tls.ca=ca.pem`: servers with commas between them, and behind the
 * question mark the options of the provider by their names. Special letters of name and password are %-encoded. Throws ConfigError,
 * which never shows the credentials.
 */
export function parseStoreUrl(text: string, defaultRootKey = 'traefik'): StoreUrl {
  const scheme = schemeOf(text);
  const form = FORMS[scheme];
  if (form === undefined) {
    const near = nearest(scheme, Object.keys(FORMS));
    refuse(
      `'${scheme}://' is no store; ${near === undefined ? `known are ${Object.keys(FORMS).join(', ')}` : `did you mean '${near}://'?`}`,
    );
  }
  const match = /^[^:]+:\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(text);
  if (match === null) refuse(`is not of the form ${scheme}://[user:password@]host:port[,host:port…]/…?option=value`);
  const [, login, hosts = '', path = '', query = ''] = match!;
  const words: [path: string, value: string][] = [['rootKey', defaultRootKey]];
  if (form!.tls) words.push(['tls.insecureSkipVerify', 'false']);
  words.push([
    'endpoints',
    hosts
      .split(',')
      .map((host) => withPort(host, form!.port))
      .join(','),
  ]);
  if (login !== undefined) words.push(...loginWords(login));
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodePart);
  if (parts.length > form!.path.length) refuse(`has more in its path than ${scheme}://…/${form!.path.join('/')}`);
  for (const [index, part] of parts.entries()) words.push([form!.path[index]!, part]);
  for (const [name, value] of new URLSearchParams(query)) words.push([name, value]);
  const { value, problems } = decode(
    form!.schema,
    treeOf(words.map(([path, text]) => ({ parts: path.split('.'), text, source: path }))),
    'keys',
  );
  if (problems.length > 0) refuse(problems.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; '));
  const { namespaces, ...options } = value as StoreOptions[StoreKind] & { rootKey: string; namespaces?: readonly string[] };
  if ((namespaces?.length ?? 0) > 1) refuse('namespaces names several; a URL is one store');
  return { kind: form!.kind, options: { ...options, ...(namespaces && { namespace: namespaces[0] }) }, rootKey: options.rootKey };
}

function loginWords(login: string): [string, string][] {
  const colon = login.indexOf(':');
  const [username, password] = colon === -1 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)];
  const words: [string, string][] = [
    ['username', decodePart(username)],
    ['password', decodePart(password)],
  ];
  return words.filter(([, value]) => value !== '');
}

const withPort = (host: string, port: number): string =>
  host === '' ? `127.0.0.1:${port}` : /:\d+$/.test(host) ? host : `${host}:${port}`;

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    refuse('has a % that does not encode anything; write %25 for the letter itself');
  }
}

function refuse(message: string): never {
  throw new ConfigError('config.bad-value', message, { object: 'URL of a store' });
}
