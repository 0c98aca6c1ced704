/** `toString('latin1')` without its look at the name of the encoding, which costs as much as a short text itself. */
interface WithSlices {
  latin1Slice(from: number, to: number): string;
}

/** Bytes from `from` to `to` as text, one character a byte. */
export const latin1 = (buffer: Buffer, from: number, to: number): string => (buffer as unknown as WithSlices).latin1Slice(from, to);
