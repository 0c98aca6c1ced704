import { boolean, duration, integer, list, object, string } from '../../base/schema.ts';

const spiffe = object(
  { ids: list(string('An id.'), 'Ids that are trusted.'), trustDomain: string('Trust domain.') },
  'Identity of the servers.',
  { presence: true, ignored: 'SPIFFE does not exist here yet.' },
);
const rootCAs = list(string('PEM file or content.', { fileOrContent: true }), 'Authorities that are trusted.');
const insecureSkipVerify = boolean('Trusts any certificate.');

/** Becomes the HTTP transport `default@internal`. */
export const serversTransport = object(
  {
    insecureSkipVerify,
    rootCAs,
    maxIdleConnsPerHost: integer('Idle connections kept per server; negative: none.', { default: 200 }),
    forwardingTimeouts: object(
      {
        dialTimeout: duration('Time to connect; 0 is without end.', { default: 30_000 }),
        responseHeaderTimeout: duration('Time until the head of the answer; 0 is without end.'),
        idleConnTimeout: duration('How long an idle connection is kept.', { default: 90_000 }),
      },
      'Time limits towards the servers.',
    ),
    spiffe,
  },
  'How servers are reached by services that name no transport.',
  { default: {} },
);

/** Becomes the TCP transport `default@internal`. */
export const tcpServersTransport = object(
  {
    dialKeepAlive: duration('Time between keep-alive probes; negative: none.', { default: 15_000 }),
    dialTimeout: duration('Time to connect; 0 is without end.', { default: 30_000 }),
    terminationDelay: duration('How long the other direction stays open after one was closed; negative: without end.'),
    tls: object({ insecureSkipVerify, rootCAs, spiffe }, 'TLS towards the servers.', { presence: true }),
  },
  'How TCP servers are reached by services that name no transport.',
  { default: {} },
);
