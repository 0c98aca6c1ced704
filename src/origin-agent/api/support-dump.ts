import { gzipSync } from 'node:zlib';

const BLOCK = 512;

/** A tar.gz of small files; `mtimeMs` is written into each. */
export function archive(files: Readonly<Record<string, string>>, mtimeMs: number): Uint8Array {
  const parts: Buffer[] = [];
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    parts.push(tarHeader(name, content.length, mtimeMs), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  // POSIX: two empty blocks end the archive.
  parts.push(Buffer.alloc(2 * BLOCK));
  return gzipSync(Buffer.concat(parts));
}

/** POSIX ustar, offsets of IEEE 1003.1 "pax". */
function tarHeader(name: string, size: number, mtimeMs: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  };
  header.write(name, 0);
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.floor(mtimeMs / 1000), 136, 12);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257, 'latin1');
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return header;
}
