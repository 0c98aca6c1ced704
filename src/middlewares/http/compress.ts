import { ConfigError } from '../../base/errors.ts';
import type { HeaderList, ProxyResponse } from '../../base/message.ts';
import { type Infer, integer, list, object, string } from '../../base/schema.ts';
import { detectContentType } from '../../base/sniff.ts';
import { chooseCoding, namesCoding } from '../accept-encoding.ts';
import { mediaType } from '../media-type.ts';
import { defineMiddleware, type MiddlewareContext, type MiddlewarePlatform } from '../middleware.ts';
import { peekBody } from '../peek-body.ts';
import { transformBody } from '../transform-body.ts';

const DEFAULT_MIN_BYTES = 1024;
const CODINGS = ['gzip', 'br', 'zstd'] as const;
type Coding = (typeof CODINGS)[number];

const options = object(
  {
    excludedContentTypes: list(string('A media type.'), 'Left alone when request or response has one of them; application/grpc always is.'),
    includedContentTypes: list(string('A media type.'), 'Compresses responses of these only; excludes `excludedContentTypes`.'),
    minResponseBodyBytes: integer('Shorter responses are left alone; 1024 when absent.'),
    encodings: list(string('gzip, br or zstd.'), 'Offered codings; the first wins where the client has no preference.', {
      default: ['gzip', 'br', 'zstd'],
    }),
    defaultEncoding: string('Coding for clients that send no Accept-Encoding, or a `*`; of gzip only those that name it get it.'),
  },
  'compress',
  { presence: true },
);

export const compress = defineMiddleware({
  kind: 'compress',
  summary: 'Compresses responses with gzip, Brotli or Zstandard.',
  options,
  edge: true,
  create(settings, context) {
    const codings = readCodings(settings, context);
    const types = readTypes(settings);
    const minBytes = Number(settings.minResponseBodyBytes ?? 0) || DEFAULT_MIN_BYTES;
    const fallback = settings.defaultEncoding || undefined;
    return async (request, next) => {
      if (request.method === 'HEAD' || types.excluded.has(mediaType(request.headers.get('Content-Type') ?? '') ?? '')) return next(request);
      const lines = request.headers.getAll('Accept-Encoding');
      const chosen = lines.length === 0 ? fallback : chooseCoding(lines, codings);
      const coding = chosen === '*' ? (fallback ?? codings[0]) : chosen;
      if (coding === undefined || coding === 'identity') return next(request);
      const response = await next(request);
      response.headers.raw.unshift('Vary', 'Accept-Encoding');
      // Traefik's gzip wants to be named, whatever was chosen.
      if (coding === 'gzip' && !namesCoding(lines, 'gzip')) return response;
      return pack(response, coding as Coding, types.isWanted, minBytes, context);
    };
  },
});

/** Compresses in place, where type, length and what the server did already let it. */
async function pack(
  response: ProxyResponse,
  coding: Coding,
  isWanted: (type: string) => boolean,
  minBytes: number,
  { platform }: MiddlewareContext,
): Promise<ProxyResponse> {
  const { headers } = response;
  const type = headers.get('Content-Type') ?? '';
  if (response.body === undefined || headers.get('Content-Encoding') || headers.get('Content-Range')) return response;
  if (type !== '' && !isWanted(type)) return response;
  const { length } = response.body;
  if (length !== undefined && length < minBytes) return response;
  // A stream of unknown length is packed from its first byte on, however short it may be; an empty one is not.
  if (length === undefined || type === '') {
    const { first, body } = await peekBody(response.body);
    response.body = body;
    if (first.length === 0 || (type === '' && !isWanted(detectContentType(first)))) return response;
  }
  const transform = platform.compressor!(coding)!;
  markPacked(headers, coding);
  response.body = transformBody(response.body, transform, { flush: length === undefined });
  return response;
}

function markPacked(headers: HeaderList, coding: Coding): void {
  headers.delete('Content-Length');
  headers.delete('Accept-Ranges');
  headers.set('Content-Encoding', coding);
}

/** The codings that are asked for and that this platform has. */
function readCodings({ encodings, defaultEncoding = '' }: Infer<typeof options>, { platform, log }: MiddlewareContext): string[] {
  const known = CODINGS.join(', ');
  if (encodings.length === 0) throw new ConfigError('config.missing', `'encodings' is empty; write some of ${known}`);
  for (const name of encodings)
    if (!CODINGS.includes(name as Coding))
      throw new ConfigError('config.bad-value', `'${name}' in 'encodings' is no known coding; known are ${known}`);
  if (defaultEncoding !== '' && !encodings.includes(defaultEncoding))
    throw new ConfigError(
      'config.bad-value',
      `'defaultEncoding' is '${defaultEncoding}', which is not among 'encodings' (${encodings.join(', ')})`,
    );
  const available = availableCodings(platform.compressor);
  const missing = encodings.filter((name) => !available.has(name as Coding));
  if (missing.length > 0) log.warn('This platform lacks codings, so they are not offered', { encodings: missing });
  return encodings.filter((name) => available.has(name as Coding));
}

type Compressor = MiddlewarePlatform['compressor'];

const availableByCompressor = new WeakMap<NonNullable<Compressor>, ReadonlySet<Coding>>();

/** Found out once: a compressor that is made only to see whether it can be made costs a quarter of a megabyte. */
function availableCodings(compressor: Compressor): ReadonlySet<Coding> {
  if (compressor === undefined) return new Set();
  let available = availableByCompressor.get(compressor);
  if (available === undefined) {
    available = new Set(
      CODINGS.filter((coding) => {
        const transform = compressor(coding);
        transform?.close();
        return transform !== undefined;
      }),
    );
    availableByCompressor.set(compressor, available);
  }
  return available;
}

function readTypes({ excludedContentTypes = [], includedContentTypes = [] }: Infer<typeof options>): {
  excluded: ReadonlySet<string>;
  isWanted: (type: string) => boolean;
} {
  if (excludedContentTypes.length > 0 && includedContentTypes.length > 0)
    throw new ConfigError(
      'config.conflict',
      "'excludedContentTypes' and 'includedContentTypes' exclude each other; write only one of them",
    );
  const read = (types: readonly string[], option: string): string[] =>
    types.map((text) => {
      const type = mediaType(text);
      if (type === undefined) throw new ConfigError('config.bad-value', `'${text}' in '${option}' is no media type; write text/html`);
      return type;
    });
  const excluded = new Set(['application/grpc', ...read(excludedContentTypes, 'excludedContentTypes')]);
  const included = new Set(read(includedContentTypes, 'includedContentTypes'));
  const isWanted = (text: string): boolean => {
    const type = mediaType(text);
    return type !== undefined && (included.size > 0 ? included.has(type) : !excluded.has(type));
  };
  return { excluded, isWanted };
}
