import zlib from 'node:zlib';
import { createByteTransform } from '../middlewares/byte-transform.ts';
import type { ByteTransform } from '../middlewares/middleware.ts';

type Coding = 'gzip' | 'br' | 'zstd';

const { constants } = zlib;

/** Brotli's own default (11) takes some fifty times the time of Traefik's 6. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } };

/** Undefined where this Node lacks the coding (zstd before 22.15). */
export function createCompressor(coding: Coding): ByteTransform | undefined {
  switch (coding) {
    case 'gzip':
      return createByteTransform(syncFlushing(zlib.createGzip()));
    case 'br':
      return createByteTransform(zlib.createBrotliCompress(BROTLI));
    case 'zstd':
      return zlib.createZstdCompress === undefined ? undefined : createByteTransform(zlib.createZstdCompress());
  }
}

export function createDecompressor(coding: Coding): ByteTransform | undefined {
  switch (coding) {
    case 'gzip':
      return createByteTransform(zlib.createGunzip());
    case 'br':
      return createByteTransform(zlib.createBrotliDecompress());
    case 'zstd':
      return zlib.createZstdDecompress === undefined ? undefined : createByteTransform(zlib.createZstdDecompress());
  }
}

/** A full flush, Node's default, would forget the dictionary each time. */
function syncFlushing(gzip: zlib.Gzip): zlib.Gzip {
  const flush = gzip.flush.bind(gzip);
  gzip.flush = ((callback: () => void) => flush(constants.Z_SYNC_FLUSH, callback)) as typeof gzip.flush;
  return gzip;
}
