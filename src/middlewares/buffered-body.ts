import { createStreamBody, tooLarge } from '../base/body.ts';
import type { Body } from '../base/message.ts';
import type { MiddlewarePlatform, Spill } from './middleware.ts';

export interface BufferLimits {
  /** Throws ClientError 413 beyond; 0 has no limit. */
  readonly maxBytes: number;
  /** What is larger goes to the platform's disk, where it has one. */
  readonly memBytes: number;
}

/** A whole body: can be read as often as wanted until it is closed. */
export interface BufferedBody {
  readonly length: number;
  open(): Body;
  close(): void;
}

export async function bufferBody(body: Body, { maxBytes, memBytes }: BufferLimits, { spill }: MiddlewarePlatform): Promise<BufferedBody> {
  if (maxBytes > 0 && body.length !== undefined && body.length > maxBytes) throw tooLarge(maxBytes);
  const inMemory: Uint8Array[] = [];
  let onDisk: Spill | undefined;
  let length = 0;
  try {
    for await (const chunk of body.chunks()) {
      length += chunk.length;
      if (maxBytes > 0 && length > maxBytes) throw tooLarge(maxBytes);
      if (length > memBytes) onDisk ??= spill?.();
      if (onDisk === undefined) inMemory.push(chunk.slice());
      else await onDisk.write(chunk);
    }
  } catch (error) {
    onDisk?.close();
    throw error;
  }
  async function* read(): AsyncGenerator<Uint8Array> {
    yield* inMemory;
    if (onDisk !== undefined) yield* onDisk.read();
  }
  return {
    length,
    open: () => createStreamBody(read(), { length, trailers: () => body.trailers(), onDiscard: () => {} }),
    close: () => onDisk?.close(),
  };
}
