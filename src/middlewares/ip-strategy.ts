import { boolean, integer, list, object, string } from '../base/schema.ts';

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
