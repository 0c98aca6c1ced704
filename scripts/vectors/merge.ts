import { parse as parseYaml } from 'yaml';
import { decode } from '../../src/base/decode.ts';
import { encode } from '../../src/base/encode.ts';
import { ConfigError } from '../../src/base/errors.ts';
import type { Schema } from '../../src/base/schema.ts';
import * as dynamic from '../../src/config/dynamic.ts';
import { createMerger, type Say } from '../../src/config/merge.ts';
import type { RuntimeConfiguration, RuntimeObject } from '../../src/config/runtime.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import { type Case, firstDifference, type Outcome, runCases, withoutZeros } from './cases.ts';

interface Input {
  readonly static: string;
  readonly providers: Readonly<Record<string, string>>;
}

/** Runs the vectors of the topic `merge`. */
export async function run(folder: string): Promise<Outcome> {
  return runCases<Input>(folder, judge);
}

function judge({ input, expected, anyOf }: Case<Input>): string | undefined {
  const { configuration, problems } = loadStatic({
    arguments: [],
    environment: {},
    readFile: (path) => (path === './traefik.yml' ? input.static : undefined),
  });
  if (configuration === undefined) return `static configuration refused: ${problems.map((problem) => problem.message).join('; ')}`;
  const says = new Map(Object.entries(input.providers).map(([provider, text]) => [provider, read(text)]));
  const actual = show(createMerger(configuration).merge(says));
  const wanted = anyOf?.map((one) => (one as { expected: unknown }).expected) ?? [expected];
  const differences = wanted.map((one) => {
    const plain = normalize(one) as Shown;
    return firstDifference(withErrorsOf(actual, plain), plain);
  });
  return differences.includes(undefined) ? undefined : differences[0];
}

function read(text: string): Say {
  const { value, problems } = decode(dynamic.dynamicConfiguration, parseYaml(text), 'document');
  return {
    configuration: value ?? {},
    problems: problems.map(
      ({ path, message }) =>
        new ConfigError('config.bad-value', `${path.slice(3).join('.')} ${message}`, { object: path.slice(0, 3).join('.') }),
    ),
  };
}

type Shown = { rawdata: Record<string, Record<string, Record<string, unknown>>>; [section: string]: unknown };

/** The runtime configuration in the form of the vectors. */
function show({ http, tcp, udp, tls }: RuntimeConfiguration): Shown {
  const routerOf = ({ config, written }: RuntimeObject<object>, schema: Schema): unknown => {
    const { service, tls: ownTls } = (written ?? {}) as { service?: string; tls?: unknown };
    return {
      ...(encode(schema, { ...config, service, tls: ownTls }) as object),
      priority: Number((config as { priority?: unknown }).priority),
    };
  };
  const options = Object.entries(tls.options).map(([name, value]) => [
    name,
    { clientAuth: {}, ...(encode(dynamic.tlsOptions, value) as object) },
  ]);
  return normalize({
    rawdata: {
      routers: list(http.routers, (object) => routerOf(object, dynamic.httpRouter)),
      services: list(http.services, ({ config }) => encode(dynamic.httpService, config)),
      middlewares: list(http.middlewares, ({ config }) => encode(dynamic.middleware, config)),
      tcpRouters: list(tcp.routers, (object) => routerOf(object, dynamic.tcpRouter)),
      tcpServices: list(tcp.services, ({ config }) => encode(dynamic.tcpService, config)),
      tcpMiddlewares: list(tcp.middlewares, ({ config }) => encode(dynamic.tcpMiddleware, config)),
      udpRouters: list(udp.routers, ({ config, written }) => encode(dynamic.udpRouter, { ...config, ...(written as object) })),
      udpServices: list(udp.services, ({ config }) => encode(dynamic.udpService, config)),
    },
    serversTransports: transports(http.serversTransports, dynamic.serversTransport),
    tcpServersTransports: transports(tcp.serversTransports, dynamic.tcpServersTransport),
    tls: {
      certificates: encode({ kind: 'list', summary: '', items: dynamic.tlsCertificate }, tls.certificates),
      options: Object.fromEntries(options),
      // Traefik's certificate manager adds these two to what was merged.
      stores: { 'acme-tls/1': {}, default: {}, ...(encode({ kind: 'map', summary: '', items: dynamic.tlsStore }, tls.stores) as object) },
    },
    tlsOptionsOfRouters: Object.fromEntries(
      Object.entries(http.routers).flatMap(([name, { config }]) => (config.tls === undefined ? [] : [[name, config.tls.options]])),
    ),
  }) as Shown;
}

type Objects<T> = Readonly<Record<string, RuntimeObject<T>>>;

function list<T>(objects: Objects<T>, encodeConfig: (object: RuntimeObject<T>) => unknown): unknown {
  const shown = Object.entries(objects).map(([name, object]) => {
    const { status, errors, using, usedBy } = object;
    return [name, { ...(encodeConfig(object) as object), status, error: errors, using, usedBy }];
  });
  return shown.length === 0 ? undefined : Object.fromEntries(shown);
}

const transports = <T>(objects: Objects<T>, schema: Schema): unknown =>
  Object.fromEntries(Object.entries(objects).map(([name, { config }]) => [name, encode(schema, config)]));

/** Without zeros, without the health of servers (nobody asked them yet), without priorities of routers that are not in use. */
function normalize(value: unknown): unknown {
  const plain = withoutZeros(value) as Shown;
  for (const objects of Object.values(plain.rawdata)) {
    for (const object of Object.values(objects)) {
      delete object.serverStatus;
      if (object.status === 'disabled') delete object.priority;
      // Beyond 2⁵³ the vectors hold rounded numbers.
      if (typeof object.priority === 'string') object.priority = Number(object.priority);
    }
  }
  return plain;
}

/** What a sentence of ours says, by the codes of the vectors. */
const SENTENCES: Record<string, RegExp> = {
  'entry-point-not-found': /no entry point '/,
  'no-valid-entry-point': /on no entry point that exists/,
  'middleware-not-found': /no middleware '/,
  'service-not-found': /no service '/,
  'service-missing': /names no service/,
  'service-invalid': /several kinds|has no kind/,
  'servers-transport-not-found': /no serversTransport '/,
  'internal-service-not-enabled': /internal service '.*' is not switched on/,
  'rule-invalid': /^Rule |rule is empty/,
  'cidr-invalid': /no address and no network|no CIDR|not an address|nonsense/,
  'middleware-invalid': /has no kind/,
  'server-url-invalid': /address '.*' of a server/,
  recursion: /contains itself/,
  'strategy-unknown': /strategy: '.*' is unknown/,
  'tls-options-not-found': /no TLS options|TLS options '.*' are defined by several/,
  'tls-options-conflict': /other TLS options/,
  'tls-options-without-host': /names no host/,
  'not-reachable': /No router on an entry point leads here/,
  parent: /There is no router '/,
  'child-with-entry-points': /its parent's entryPoints/,
  'children-invalid': /All routers that have it as their parent are broken/,
  'host-sni-without-tls': /has HostSNI, but the router has no tls/,
};

/** `actual` with the errors of `expected` wherever our sentences say the same. */
function withErrorsOf(actual: Shown, expected: Shown): Shown {
  const copy = structuredClone(actual);
  for (const [section, objects] of Object.entries(copy.rawdata)) {
    for (const [name, object] of Object.entries(objects)) {
      const wanted = expected.rawdata[section]?.[name]?.error as { code: string; node?: string }[] | undefined;
      const ours = object.error as string[] | undefined;
      if (wanted === undefined || ours === undefined) continue;
      const says = (sentence: string, { code, node }: { code: string; node?: string }): boolean =>
        SENTENCES[code]?.test(sentence) === true &&
        (node === undefined || ['recursion', 'middleware-invalid'].includes(code) || sentence.includes(node));
      if (
        wanted.every((one) => ours.some((sentence) => says(sentence, one))) &&
        ours.every((sentence) => wanted.some((one) => says(sentence, one)))
      )
        object.error = wanted;
    }
  }
  return copy;
}
