/** The chunked transfer coding (RFC 9112 §7.1), read strictly. A security boundary like head.ts. */
import { HeaderList } from '../../base/message.ts';
import { parseFields } from './fields.ts';

const SIZE = 0;
const SIZE_LF = 1;
const DATA = 2;
const DATA_CR = 3;
const DATA_LF = 4;
const TRAILER = 5;
const DONE = 6;
const FAILED = 7;

// `;name`, `;name=token`, `;name="quoted"` (RFC 9112 §7.1.1), without the blanks that only lenient readers take.
const EXTENSION =
  /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*$/;

export interface ChunkLimits {
  readonly maxHeaderFields: number;
  /** Bytes of the trailer section. */
  readonly maxTrailerBytes: number;
}

/** 14 hexadecimal digits hold 2^53 - 1. */
const MAX_SIZE_DIGITS = 14;
/** Bytes of extensions in one body: they mean nothing to us and must not be a way to keep us busy. */
const MAX_EXTENSION_BYTES = 16_384;

/** Decodes one body. Feed it bytes in any pieces until `done` or `failed`. */
export class ChunkedDecoder {
  done = false;
  failed = false;
  /** Known when done; undefined without trailers. */
  trailers: HeaderList | undefined;
  readonly #limits: ChunkLimits;
  #state: number = SIZE;
  #size = 0;
  #digits = 0;
  /** Text of the extensions of this chunk, of the trailer section later. */
  #text = '';
  #extensionBytes = 0;

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
  }

  /** Takes bytes of `buffer` from `at` to `end`, hands content on in slices of it; returns the place behind the last byte that it used. */
  decode(buffer: Buffer, at: number, end: number, onContent: (slice: Buffer) => void): number {
    let i = at;
    while (i < end && this.#state < DONE) {
      switch (this.#state) {
        case SIZE:
          i = this.#readSize(buffer, i, end);
          break;
        case SIZE_LF:
          if (buffer[i++] !== 10) this.#fail();
          else this.#beginChunk();
          break;
        case DATA: {
          const stop = Math.min(end, i + this.#size);
          this.#size -= stop - i;
          if (this.#size === 0) this.#state = DATA_CR;
          onContent(buffer.subarray(i, stop));
          i = stop;
          break;
        }
        case DATA_CR:
          if (buffer[i++] === 13) this.#state = DATA_LF;
          else this.#fail();
          break;
        case DATA_LF:
          if (buffer[i++] === 10) this.#state = SIZE;
          else this.#fail();
          break;
        default:
          i = this.#readTrailer(buffer, i, end);
      }
    }
    return i;
  }

  #readSize(buffer: Buffer, at: number, end: number): number {
    let i = at;
    for (; i < end; i++) {
      const byte = buffer[i]!;
      if (byte === 13) {
        if (this.#digits === 0 || (this.#text !== '' && !EXTENSION.test(this.#text))) this.#fail();
        else this.#state = SIZE_LF;
        return i + 1;
      }
      const digit = this.#text === '' ? hexDigit(byte) : -1;
      if (digit !== -1) {
        this.#size = this.#size * 16 + digit;
        if (++this.#digits > MAX_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER) return this.#fail();
      } else {
        // Extensions begin with `;` (59); a line feed alone never passes.
        if (this.#digits === 0 || (this.#text === '' && byte !== 59) || byte === 10) return this.#fail();
        if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return this.#fail();
        this.#text += String.fromCharCode(byte);
      }
    }
    return i;
  }

  #beginChunk(): void {
    this.#state = this.#size === 0 ? TRAILER : DATA;
    this.#digits = 0;
    this.#text = '';
  }

  #readTrailer(buffer: Buffer, at: number, end: number): number {
    // The section's end may lie across two pieces: the last bytes of the one before are looked at again.
    const known = this.#text.length;
    this.#text += buffer.toString('latin1', at, Math.min(end, at + this.#limits.maxTrailerBytes + 4));
    const text = this.#text;
    const stop = text.startsWith('\r\n') ? 2 : text.indexOf('\r\n\r\n', Math.max(0, known - 3)) + 4;
    if (stop === 3) {
      if (text.length > this.#limits.maxTrailerBytes || (text.length > 1 && text.charCodeAt(0) === 13)) return this.#fail();
      return end;
    }
    const fields = stop === 2 ? undefined : parseFields(text, 0, stop - 2, this.#limits.maxHeaderFields);
    if (stop > this.#limits.maxTrailerBytes || (fields !== undefined && (fields.reason !== undefined || fields.raw.some(isFraming))))
      return this.#fail();
    if (fields !== undefined) this.trailers = keepTrailers(fields.raw);
    this.#state = DONE;
    this.done = true;
    return at + stop - known;
  }

  #fail(): number {
    this.#state = FAILED;
    this.failed = true;
    return 0;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Some readers (llhttp) heed these among trailers too: they would see another message, or another end of the connection. */
const isFraming = (text: string, index: number): boolean =>
  index % 2 === 0 && /^(?:content-length|transfer-encoding|connection)$/i.test(text);

// Fields that may not be trailers either (RFC 9110 §6.5.1); they are dropped.
const NEVER_TRAILERS = /^(?:keep-alive|te|trailer|upgrade|proxy-.*)$/i;

function keepTrailers(raw: readonly string[]): HeaderList | undefined {
  const kept = new HeaderList();
  for (let i = 0; i < raw.length; i += 2) if (!NEVER_TRAILERS.test(raw[i]!)) kept.append(raw[i]!, raw[i + 1]!);
  return kept.raw.length > 0 ? kept : undefined;
}
