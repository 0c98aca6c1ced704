import { concatBytes, EMPTY } from '../base/bytes.ts';
import type { ByteTransform } from './middleware.ts';

/** As much of Node's Transform (which workerd has too) as a coding needs; the types of neither runtime are known here. */
export interface TransformLike {
  write(chunk: Uint8Array, callback: (error?: Error | null) => void): unknown;
  flush(kind: number, callback: () => void): void;
  end(): unknown;
  read(): unknown;
  destroy(): unknown;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Steps of a stream as promises: each gives what came out until it was done. `flushKind` is zlib's constant for pushing all out. */
export function createByteTransform(stream: TransformLike, flushKind: number): ByteTransform {
  let output: Uint8Array[] = [];
  let failure: Error | undefined;
  let onFailure: ((error: Error) => void) | undefined;
  let onEnd: (() => void) | undefined;
  stream.on('data', (chunk) => output.push(chunk));
  stream.on('end', () => onEnd?.());
  stream.on('error', (error) => {
    failure = error;
    onFailure?.(error);
  });
  stream.on('close', () => onFailure?.(new Error('The stream was closed')));

  const step = (start: (done: () => void) => void): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      onFailure = reject;
      start(() => {
        onFailure = undefined;
        // What is still buffered comes out as data.
        while (stream.read() !== null);
        const all = output.length === 0 ? EMPTY : concatBytes(output);
        output = [];
        resolve(all);
      });
    });
  return {
    write: (chunk) => step((done) => stream.write(chunk, (error) => void (error ? onFailure?.(error) : done()))),
    flush: () => step((done) => stream.flush(flushKind, done)),
    end: () =>
      step((done) => {
        onEnd = done;
        stream.end();
      }),
    close() {
      onFailure = undefined;
      stream.destroy();
    },
  };
}
