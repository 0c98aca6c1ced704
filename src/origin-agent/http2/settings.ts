import type { EntryPoint } from '../../config/static.ts';
import type { Http1Settings } from '../http1/settings.ts';

/** Shared by all HTTP/2 connections of an entry point. */
export interface Http2Settings extends Pick<Http1Settings, 'handler' | 'entryPoint' | 'clock' | 'log' | 'limits' | 'onOutcome'> {
  readonly maxConcurrentStreams: number;
  /** HPACK tables in bytes: for what clients send, for what they get. */
  readonly maxDecoderHeaderTableSize: number;
  readonly maxEncoderHeaderTableSize: number;
}

/** Go's number for 0. */
const DEFAULT_STREAMS = 250;

/** The HTTP/2 side of what an entry point's HTTP/1.1 connections have in common. */
export function http2Settings({ handler, entryPoint, clock, log, limits, onOutcome }: Http1Settings, { http2 }: EntryPoint): Http2Settings {
  return {
    handler,
    entryPoint,
    clock,
    log,
    limits,
    ...(onOutcome && { onOutcome }),
    maxConcurrentStreams: http2.maxConcurrentStreams || DEFAULT_STREAMS,
    maxDecoderHeaderTableSize: http2.maxDecoderHeaderTableSize,
    maxEncoderHeaderTableSize: http2.maxEncoderHeaderTableSize,
  };
}
