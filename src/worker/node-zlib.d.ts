/** workerd has Node's zlib, but its types are not among the Workers' own. Only what `middleware-platform.ts` hands on. */
declare module 'node:zlib' {
  interface Transform {
    write(chunk: Uint8Array, callback: (error?: Error | null) => void): unknown;
    flush(kind: number, callback: () => void): void;
    end(): unknown;
    read(): unknown;
    destroy(): unknown;
    on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
    on(event: 'end' | 'close', listener: () => void): unknown;
    on(event: 'error', listener: (error: Error) => void): unknown;
  }
  const zlib: {
    createGzip(): Transform;
    createGunzip(): Transform;
    createBrotliCompress(options: { params: Record<number, number> }): Transform;
    createBrotliDecompress(): Transform;
    createZstdCompress?(): Transform;
    createZstdDecompress?(): Transform;
    readonly constants: {
      readonly Z_SYNC_FLUSH: number;
      readonly BROTLI_OPERATION_FLUSH: number;
      readonly BROTLI_PARAM_QUALITY: number;
      readonly ZSTD_e_flush?: number;
    };
  };
  export default zlib;
}
