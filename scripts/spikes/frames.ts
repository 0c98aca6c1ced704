/** One WebSocket message of the spike: a byte of type, four of stream, the rest is payload. */
export const FRAME = { head: 1, data: 2, end: 3, abort: 4, credit: 5 } as const;

export interface Frame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** JSON of a `head` frame. */
export interface Head {
  /** Of a request. */
  readonly method?: string;
  readonly target?: string;
  /** Of an answer. */
  readonly status?: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly hasBody: boolean;
}

/** Bytes that a side may send of a stream before the other one has to give it more. */
export const WINDOW = 512 * 1024;

export function encodeFrame(type: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + payload.length);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(1, stream);
  bytes.set(payload, 5);
  return bytes;
}

export function decodeFrame(message: ArrayBuffer): Frame {
  return { type: new Uint8Array(message)[0]!, stream: new DataView(message).getUint32(1), payload: new Uint8Array(message, 5) };
}

export const encodeHead = (head: Head): Uint8Array => new TextEncoder().encode(JSON.stringify(head));
export const decodeHead = (payload: Uint8Array): Head => JSON.parse(new TextDecoder().decode(payload)) as Head;

/** Credit of one direction of a stream: `take` waits until so many bytes may be sent. */
export class Credit {
  #left = WINDOW;
  #waiting: (() => void) | undefined;

  async take(bytes: number): Promise<void> {
    while (this.#left <= 0) await new Promise<void>((resolve) => (this.#waiting = resolve));
    this.#left -= bytes;
  }

  give(bytes: number): void {
    this.#left += bytes;
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

export const encodeCredit = (bytes: number): Uint8Array => new Uint8Array(new Uint32Array([bytes]).buffer);
export const decodeCredit = (payload: Uint8Array): number => new Uint32Array(payload.slice().buffer)[0]!;
