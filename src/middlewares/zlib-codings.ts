import { createByteTransform, type TransformLike } from './byte-transform.ts';
import type { MiddlewarePlatform } from './middleware.ts';

/** As much of `node:zlib` as codings need; workerd has it too. Zstandard came with Node 22.15. */
export interface ZlibLike {
  createGzip(): TransformLike;
  createGunzip(): TransformLike;
  createBrotliCompress(options: { params: Record<number, number> }): TransformLike;
  createBrotliDecompress(): TransformLike;
  createZstdCompress?(): TransformLike;
  createZstdDecompress?(): TransformLike;
  readonly constants: {
    readonly Z_SYNC_FLUSH: number;
    readonly BROTLI_OPERATION_FLUSH: number;
    readonly BROTLI_PARAM_QUALITY: number;
    readonly ZSTD_e_flush?: number;
  };
}

/** Brotli's own default (11) takes some fifty times the time of Traefik's 6. */
const BROTLI_QUALITY = 6;

export function createCodings(zlib: ZlibLike): Required<Pick<MiddlewarePlatform, 'compressor' | 'decompressor'>> {
  const { constants } = zlib;
  // gzip's default, a full flush, would forget the dictionary each time.
  const flush = { gzip: constants.Z_SYNC_FLUSH, br: constants.BROTLI_OPERATION_FLUSH, zstd: constants.ZSTD_e_flush ?? 1 };
  const packers = {
    gzip: () => zlib.createGzip(),
    br: () => zlib.createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
    zstd: () => zlib.createZstdCompress?.(),
  };
  const unpackers = {
    gzip: () => zlib.createGunzip(),
    br: () => zlib.createBrotliDecompress(),
    zstd: () => zlib.createZstdDecompress?.(),
  };
  const wrap = (stream: TransformLike | undefined, kind: number) => (stream === undefined ? undefined : createByteTransform(stream, kind));
  return {
    compressor: (coding) => wrap(packers[coding](), flush[coding]),
    decompressor: (coding) => wrap(unpackers[coding](), flush[coding]),
  };
}
