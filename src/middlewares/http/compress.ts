import { integer, list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const compress = defineMiddleware({
  kind: 'compress',
  summary: 'Compresses responses with gzip, Brotli or Zstandard.',
  options: object(
    {
      excludedContentTypes: list(
        string('A media type.'),
        'Left alone when request or response has one of them; application/grpc always is.',
      ),
      includedContentTypes: list(string('A media type.'), 'Compresses responses of these only; excludes `excludedContentTypes`.'),
      minResponseBodyBytes: integer('Shorter responses are left alone; 1024 when absent.'),
      encodings: list(string('gzip, br or zstd.'), 'Offered codings; the first wins where the client has no preference.', {
        default: ['gzip', 'br', 'zstd'],
      }),
      defaultEncoding: string('Coding for clients that send no Accept-Encoding, or a `*`.'),
    },
    'compress',
    { presence: true },
  ),
  edge: true,
});
