import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Spill } from '../middlewares/middleware.ts';

/** A file of the system's temporary folder that only this process may read, unlinked as soon as it is open. */
export function createSpill(): Spill {
  let file: Promise<FileHandle> | undefined;
  let size = 0;
  let closed = false;
  const opened = (): Promise<FileHandle> => {
    file ??= openUnlinked(join(tmpdir(), `edgeway-${randomUUID()}`));
    return file;
  };
  return {
    async write(chunk) {
      const handle = await opened();
      for (let done = 0; done < chunk.length; ) done += (await handle.write(chunk, done, chunk.length - done, size + done)).bytesWritten;
      size += chunk.length;
    },
    async *read() {
      if (size === 0) return;
      const handle = await opened();
      yield* createReadStream('', { fd: handle.fd, autoClose: false, start: 0, end: size - 1 });
    },
    close() {
      if (closed) return;
      closed = true;
      void file?.then((handle) => handle.close()).catch(() => {});
    },
  };
}

async function openUnlinked(path: string): Promise<FileHandle> {
  const handle = await open(path, 'wx+', 0o600);
  await unlink(path);
  return handle;
}
