import { createIpMatcher, formatIp, parseCidr, parseIp } from '../base/cidr.ts';
import { ConfigError } from '../base/errors.ts';
import type { ProxyRequest } from '../base/message.ts';
import { boolean, type Infer, integer, list, object, string } from '../base/schema.ts';

const ipStrategyFields = {
  depth: integer('Takes the n-th address of X-Forwarded-For from the right; 0 takes the peer’s address. Wins over `excludedIPs`.'),
  excludedIPs: list(
    string('An address or a network.'),
    'Takes the first address of X-Forwarded-For from the right that is not among these.',
  ),
  ipv6Subnet: integer('Counts IPv6 addresses with the same first bits (1 to 128) as one.'),
} as const;

export const ipStrategy = object(ipStrategyFields, 'Which address is the client’s; the peer’s by default.', { presence: true });

export const sourceCriterion = object(
  {
    ipStrategy: object(ipStrategyFields, 'Requests of one client address belong together.'),
    requestHeaderName: string('Requests with the same value of this field belong together; those without it too.'),
    requestHost: boolean('Requests for the same host belong together.'),
  },
  'What makes requests belong to one source: exactly one of these.',
);

/** What a request is counted or judged by; empty when it cannot be told. */
export type SourceOf = (request: ProxyRequest) => string;

/** The address that counts as the client's. */
export function createIpStrategy({ depth = 0, excludedIPs = [], ipv6Subnet }: Infer<typeof ipStrategy> = {}): SourceOf {
  const group = createGrouping(depth === 0 && excludedIPs.length > 0 ? undefined : ipv6Subnet);
  if (depth > 0) {
    return (request) => {
      const addresses = forwardedFor(request);
      return group(addresses[addresses.length - depth]?.trim() ?? '');
    };
  }
  if (excludedIPs.length > 0) {
    const excluded = createRangeMatcher(excludedIPs, 'excludedIPs');
    return (request) =>
      forwardedFor(request)
        .map((address) => address.trim())
        .findLast((address) => address !== '' && !excluded(address)) ?? '';
  }
  return (request) => group(request.clientAddress);
}

/** Every line counts, so that a client cannot hide one behind another. */
const forwardedFor = (request: ProxyRequest): string[] => request.headers.getAll('X-Forwarded-For').join(',').split(',');

function createGrouping(bits: number | undefined): (address: string) => string {
  if (bits === undefined) return (address) => address;
  if (bits < 1 || bits > 128) throw new ConfigError('config.bad-value', `'ipv6Subnet' is ${bits}; write 1 to 128`);
  return (address) => {
    const bytes = address.includes(':') ? parseIp(address) : undefined;
    if (bytes === undefined) return address;
    return formatIp(bytes.map((byte, index) => maskByte(byte, bits - 8 * index)));
  };
}

/** The byte with only its first `bits` bits. */
const maskByte = (byte: number, bits: number): number => (bits >= 8 ? byte : bits <= 0 ? 0 : byte & (0xff << (8 - bits)));

/** The test of an allow list. Throws ConfigError for an empty one, too. */
export function createAllowList(sourceRange: readonly string[] = []): (address: string) => boolean {
  if (sourceRange.length === 0)
    throw new ConfigError('config.missing', "'sourceRange' is empty; write the addresses that are let in, as 10.0.0.0/8");
  return createRangeMatcher(sourceRange, 'sourceRange');
}

/** A test over addresses, with or without port and zone. */
export function createRangeMatcher(ranges: readonly string[], option: string): (address: string) => boolean {
  for (const range of ranges) {
    if (parseCidr(range.trim()) === undefined)
      throw new ConfigError(
        'config.bad-value',
        `'${range}' in '${option}' is neither an address nor a network; write 10.0.0.1, 10.0.0.0/8 or fd00::/8`,
      );
  }
  const matches = createIpMatcher(ranges);
  return (address) => matches(bareAddress(address));
}

function bareAddress(address: string): string {
  const withPort = /^(?:\[([^\]]*)\]|([^:]*)):\d*$/.exec(address);
  const host = withPort === null ? address : (withPort[1] ?? withPort[2]!);
  const zone = host.indexOf('%');
  return zone === -1 ? host : host.slice(0, zone);
}

/** What requests are counted by: `fallback` where nothing is said. */
export function createSource(criterion: Infer<typeof sourceCriterion> = {}, fallback: 'address' | 'host'): SourceOf {
  const { ipStrategy: strategy, requestHeaderName = '', requestHost = false } = criterion;
  const said = [strategy && 'ipStrategy', requestHeaderName && 'requestHeaderName', requestHost && 'requestHost'].filter(Boolean);
  if (said.length > 1) throw new ConfigError('config.conflict', `'sourceCriterion' has ${said.join(' and ')}; write only one of them`);
  if (requestHeaderName !== '') return (request) => request.headers.get(requestHeaderName) ?? '';
  if (requestHost || (strategy === undefined && fallback === 'host')) return (request) => request.host;
  return createIpStrategy(strategy);
}
