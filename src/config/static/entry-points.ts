import { boolean, duration, integer, list, object, oneOf, string } from '../../base/schema.ts';

const addresses = (summary: string) => list(string('An address or a range of addresses.'), summary);
const kept = (what: string) => boolean(`Lets requests pass whose path has an escaped ${what}.`, { default: true });

const redirectEntryPoint = object(
  {
    to: string('Name of the entry point, or `:port`, to which clients are sent.'),
    scheme: string('Scheme of the target.', { default: 'https' }),
    permanent: boolean('Answers 301 or 308 instead of 302 or 307.', { default: true }),
    // 2⁶³−2: only the ACME challenge router ranks higher.
    priority: integer('Priority of the router that redirects.', { default: 9223372036854775806n as never }),
  },
  'Sends every request to another entry point.',
);

const entryPointTls = object(
  {
    options: string('Name of the TLS options.'),
    certResolver: string('Name of the certificate resolver.'),
    domains: list(
      object({ main: string('First name.'), sans: list(string('A name.'), 'Further names.') }, 'A certificate to ask for.'),
      'Names to ask certificates for, instead of those of the rule.',
    ),
  },
  'TLS for routers that say nothing of it.',
  { presence: true },
);

const http = object(
  {
    redirections: object({ entryPoint: redirectEntryPoint }, 'Redirections of the whole entry point.'),
    middlewares: list(string('Name with provider.'), 'Middlewares that run before those of every router.'),
    tls: entryPointTls,
    encodedCharacters: object(
      {
        allowEncodedSlash: kept('slash'),
        allowEncodedBackSlash: kept('backslash'),
        allowEncodedNullCharacter: kept('null character'),
        allowEncodedSemicolon: kept('semicolon'),
        allowEncodedPercent: kept('percent sign'),
        allowEncodedQuestionMark: kept('question mark'),
        allowEncodedHash: kept('hash sign'),
      },
      'Escaped characters of the path that are let through.',
    ),
    encodeQuerySemicolons: boolean('Escapes semicolons of the query.'),
    sanitizePath: boolean('Resolves `.`, `..` and repeated slashes of the path.', { default: true }),
    maxHeaderBytes: integer('Largest head of a request.', { default: 1_048_576 }),
    underscoreHeadersStrategy: oneOf(['keep', 'delete', 'reject'], 'What happens to header fields with an underscore in their name.', {
      default: 'keep',
    }),
  },
  'HTTP.',
  { default: {} },
);

const transport = object(
  {
    lifeCycle: object(
      {
        requestAcceptGraceTimeout: duration('How long new requests are still taken after the signal to stop.'),
        graceTimeOut: duration('How long running requests may take to end.', { default: 10_000 }),
      },
      'How it stops.',
      { default: {} },
    ),
    respondingTimeouts: object(
      {
        readTimeout: duration('Longest time to read a whole request with its body; 0 is without end.', { default: 60_000 }),
        writeTimeout: duration('Longest time to write a response; 0 is without end.'),
        idleTimeout: duration('How long an idle connection is kept.', { default: 180_000 }),
      },
      'Time limits towards clients.',
      { default: {} },
    ),
    keepAliveMaxTime: duration('Age at which a connection is closed; 0 is never.'),
    keepAliveMaxRequests: integer('Requests after which a connection is closed; 0 is never.'),
  },
  'Connections.',
  { default: {} },
);

export const entryPoint = object(
  {
    address: string('[host]:port, with `/udp` for datagrams.'),
    allowACMEByPass: boolean('Leaves ACME challenges to routers of the user.'),
    reusePort: boolean('Lets other processes listen on the same port.'),
    asDefault: boolean('Routers without entry points use it; without any such entry point all of them count.'),
    transport,
    proxyProtocol: object(
      { insecure: boolean('Believes every peer.'), trustedIPs: addresses('Peers that are believed.') },
      'Reads the PROXY protocol.',
      { presence: true },
    ),
    forwardedHeaders: object(
      {
        insecure: boolean('Believes the forwarded headers of every peer.'),
        trustedIPs: addresses('Peers whose forwarded headers are believed.'),
        connection: list(string('A field name.'), 'Fields named by Connection that middlewares still see.'),
        notAppendXForwardedFor: boolean('Leaves X-Forwarded-For without the address of the peer.'),
      },
      'Which forwarded headers are believed.',
      { default: {} },
    ),
    http,
    http2: object(
      {
        maxConcurrentStreams: integer('Streams a connection.', { default: 250 }),
        maxDecoderHeaderTableSize: integer('HPACK table for what clients send, in bytes.', { default: 4096 }),
        maxEncoderHeaderTableSize: integer('HPACK table for what clients get, in bytes.', { default: 4096 }),
      },
      'HTTP/2.',
      { default: {} },
    ),
    http3: object({ advertisedPort: integer('Port that is advertised.') }, 'HTTP/3.', {
      presence: true,
      ignored: 'HTTP/3 is not served, and advertised nowhere.',
    }),
    udp: object({ timeout: duration('How long a silent session is kept.', { default: 3_000 }) }, 'Datagrams.', { default: {} }),
    observability: object(
      {
        accessLogs: boolean('Writes access log lines.', { default: true }),
        metrics: boolean('Counts requests.', { default: true }),
        tracing: boolean('Makes spans.', { default: true }),
        traceVerbosity: oneOf(['minimal', 'detailed'], 'Spans of middlewares too (detailed).', { default: 'minimal' }),
      },
      'What is observed of routers that say nothing of it.',
    ),
  },
  'Where clients come in.',
  { presence: true },
);

export type EntryPoint = NonNullable<(typeof entryPoint)['$type']>;
