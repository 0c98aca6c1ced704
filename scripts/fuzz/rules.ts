import { ConfigError } from '../../src/base/errors.ts';
import { createRequest, HeaderList } from '../../src/base/message.ts';
import { createRoutingView, type RoutingView } from '../../src/config/rule/routing-view.ts';
import {
  type CompiledRule,
  compileHttpRule,
  compileTcpRule,
  type RuleSyntax,
  ruleDomains,
  rulePriority,
  tcpRuleDomains,
  tcpRulePriority,
} from '../../src/config/rule/rule.ts';
import { createTcpView, type TcpView } from '../../src/config/rule/tcp-matchers.ts';
import { createRouteTable, createTcpRouteTable, type RouteEntry, type RouteTable } from '../../src/proxy/route-table.ts';

/**
 * Reads `count` generated rules, good and bad ones: nothing but ConfigError is thrown, the time stays within a line, and a valid
 * rule alone in a table takes what it matches. Throws with the rule that broke a promise.
 */
export async function fuzz(count: number, seed = Date.now() >>> 0): Promise<void> {
  const random = createRandom(seed);
  let valid = 0;
  for (let i = 0; i < count; i++) {
    const syntax = random.below(3) === 0 ? 'v2' : 'v3';
    const tcp = random.below(3) === 0;
    const names = random.below(10) === 0 ? ANY_NAMES : NAMES[tcp ? 'tcp' : syntax];
    const rule = i % 2000 === 1999 ? longRule(random, names) : shortRule(random, names);
    try {
      if (tryRule(rule, syntax, tcp, random)) valid++;
    } catch (error) {
      throw new Error(`Seed ${seed}, rule ${i} (${syntax}): ${JSON.stringify(rule.slice(0, 500))}`, { cause: error });
    }
  }
  console.log(`rules: ${count} read, ${valid} valid (seed ${seed})`);
}

function tryRule(rule: string, syntax: RuleSyntax, tcp: boolean, random: Random): boolean {
  const read = () => (tcp ? compileOrRefuse(rule, syntax, compileTcpRule) : compileOrRefuse(rule, syntax, compileHttpRule));
  const compiled = inLinearTime(read, rule.length);
  refuseOther(() => (tcp ? tcpRuleDomains : ruleDomains)(rule));
  (tcp ? tcpRulePriority : rulePriority)(rule);
  const entry: RouteEntry = { name: 'r', rule, ruleSyntax: syntax, priority: 1, providerRank: 0 };
  const explained = random.below(8) === 0;
  if (tcp) expectEqual(compiled as CompiledRule<TcpView> | undefined, createTcpRouteTable([entry]), tcpView(random), explained);
  else expectEqual(compiled as CompiledRule<RoutingView> | undefined, createRouteTable([entry]), httpView(random), explained);
  return compiled !== undefined;
}

/** Other work may stop this process for a while, so a slow reading is tried again before it counts. */
function inLinearTime<T>(read: () => T, length: number): T {
  for (let tries = 0; ; tries++) {
    const start = performance.now();
    const result = read();
    const tookMs = performance.now() - start;
    if (tookMs <= 50 + length / 50) return result;
    if (tries === 5) throw new Error(`Took ${tookMs} ms for ${length} characters`);
  }
}

function compileOrRefuse<View>(rule: string, syntax: RuleSyntax, compile: (rule: string, syntax: RuleSyntax) => CompiledRule<View>) {
  let compiled: CompiledRule<View> | undefined;
  refuseOther(() => {
    compiled = compile(rule, syntax);
  });
  return compiled;
}

function refuseOther(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.message.length > 2000) throw new Error(`The message has ${error.message.length} characters`);
  }
}

function expectEqual<View>(
  compiled: CompiledRule<View> | undefined,
  table: RouteTable<RouteEntry, View>,
  view: View,
  explained: boolean,
): void {
  const matches = compiled?.test(view) ?? false;
  if ((table.match(view) !== undefined) !== matches) throw new Error(`Matches: ${matches}; the table says otherwise`);
  if (!explained || compiled === undefined) return;
  if ((compiled.failures(view).length === 0) !== matches) throw new Error('The failures say otherwise');
}

const httpView = (random: Random): RoutingView =>
  createRoutingView(
    createRequest({
      method: random.pick(['GET', 'PUT']),
      host: random.pick(['a.test', 'b.a.test', 'A.test:80', 'a.test.', '', '[::1]:80', 'x']),
      path: random.pick(['/', '/a', '/a/b', '/%C3%A9', '/a%2Fb', '/%FF', '*']),
      query: random.pick([undefined, 'a=1', 'a', 'a=&b=2']),
      clientAddress: random.pick(['10.0.0.1', '::1', '@']),
      headers: new HeaderList(['X-A', random.pick(['1', 'red', 'gr\xc3\xbcn'])]),
    }),
    random.pick(['', '', 'b.a.test', 'a.test.']),
  );

const tcpView = (random: Random): TcpView =>
  createTcpView({
    serverName: random.pick(['a.test', 'B.a.test', '', 'a.test.']),
    clientAddress: random.pick(['10.0.0.1', '::1']),
    protocols: random.pick([[], ['h2']]),
  });

const NAMES = {
  v3: 'Host HostRegexp Path PathPrefix PathRegexp Method Header HeaderRegexp Query QueryRegexp ClientIP host PATH Clientip'.split(' '),
  v2: 'Host HostHeader HostRegexp Path PathPrefix Method Headers HeadersRegexp Query ClientIP headers HOSTREGEXP'.split(' '),
  tcp: 'HostSNI HostSNIRegexp ALPN ClientIP hostsni Alpn'.split(' '),
};
const ANY_NAMES = [...Object.values(NAMES).flat(), 'pathPrefix', 'and', 'Hots', 'true'];
const VALUES =
  'a.test *.a.test * *. a.test. / /a /a/b /é /{x} /{x:[a-z]+}/b /{x {} GET X-A 1 a=1 a= red .* ^a (?i)A$ \\.test$ (a [ a{1000} \\pL (?P<n>a) 10.0.0.0/8 ::1 10.0.0.1/99 h2 acme-tls/1 \\xff \\u00e9 \\d \ufffd'.split(
    ' ',
  );
const PATHS = VALUES.filter((value) => value.startsWith('/'));
const SIGNS = [
  '(',
  ')',
  ',',
  '&&',
  '||',
  '!',
  '...',
  '&',
  '|',
  ';',
  '\n',
  ' ',
  '\t',
  '/*',
  '*/',
  '//',
  '"',
  '`',
  "'",
  '\\',
  '\0',
  '\ufeff',
  '😀',
  'é',
  '0',
  '.',
];

const shortRule = (random: Random, names: readonly string[]): string => {
  const rule = random.below(4) === 0 ? soup(random, names, random.below(30)) : expression(random, names, 3);
  return random.below(10) === 0 ? damage(random, rule) : rule;
};

/** Some hundred thousand characters, beyond and below the limit. */
function longRule(random: Random, names: readonly string[]): string {
  const joined = `${expression(random, names, 1)}${random.pick([' && ', ' || ', '', '(', '!'])}`;
  const part = random.below(2) === 0 ? soup(random, names, 3) : joined;
  return (part || '(').repeat(Math.ceil(random.below(300_000) / (part.length || 1)));
}

const soup = (random: Random, names: readonly string[], length: number): string =>
  Array.from({ length }, () => random.pick(random.below(3) === 0 ? names : random.below(2) === 0 ? VALUES : SIGNS)).join('');

function expression(random: Random, names: readonly string[], depth: number): string {
  const kind = depth === 0 ? 0 : random.below(8);
  const inner = (): string => expression(random, names, depth - 1);
  if (kind === 7) return `!${inner()}`;
  if (kind === 6) return `(${inner()})`;
  if (kind >= 4) return `${inner()} ${random.pick(['&&', '||', '&&\n', '|| // x\n'])} ${inner()}`;
  const name = random.pick(names);
  const count = /^header/i.test(name) ? 2 : random.below(6) === 0 ? 2 : 1;
  return `${name}(${Array.from({ length: count }, () => quoted(random, name)).join(', ')})`;
}

function quoted(random: Random, name: string): string {
  const value = /^path/i.test(name) && random.below(3) > 0 ? random.pick(PATHS) : random.pick(VALUES);
  return random.below(5) === 0 ? `"${value}"` : `\`${value}\``;
}

function damage(random: Random, rule: string): string {
  const at = random.below(rule.length + 1);
  return rule.slice(0, at) + random.pick([...SIGNS, '']) + rule.slice(at + random.below(3));
}

interface Random {
  /** From 0 to below the limit. */
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
}

function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    // mulberry32: small, and good enough to vary inputs.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return { below, pick: (list) => list[below(list.length)]! };
}

if (import.meta.main) await fuzz(Number(process.argv[2] ?? 1_000_000), process.argv[3] === undefined ? undefined : Number(process.argv[3]));
