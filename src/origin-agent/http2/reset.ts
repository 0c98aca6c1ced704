import type { Http2Stream } from 'node:http2';
import { addAbortSignal } from 'node:stream';

const ABORTED = AbortSignal.abort();

/**
 * Resets a stream with CANCEL. Not by `close`: that ends an open writable side first, and its peer would take the part of a body that
 * it has for the whole.
 */
export const cancelStream = (stream: Http2Stream): void => {
  if (!stream.destroyed) addAbortSignal(ABORTED, stream);
};

/** Resets a stream with INTERNAL_ERROR, which tells the peer that a body is cut short. */
export const breakStream = (stream: Http2Stream, error: unknown): void => {
  if (!stream.destroyed) stream.destroy(error instanceof Error ? error : new Error(String(error)));
};
