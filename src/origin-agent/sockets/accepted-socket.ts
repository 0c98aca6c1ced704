import net from 'node:net';

/** How Node hands out bytes without a stream buffer (`net.connect` takes it officially, accepted sockets do not). */
export interface OnRead {
  readonly buffer: () => Buffer;
  readonly callback: (length: number, buffer: Uint8Array) => boolean;
}

/** A socket as Node keeps it: the handle of libuv is a private field. */
type WithHandle = net.Socket & { _handle: { reading: boolean } | null };

/**
 * A new socket on the handle of an accepted one, read with `onread`; measured: a third less CPU than `data` events. The only place that
 * knows about `_handle`; undefined (and the socket untouched) where Node has none, so that the caller reads `data` events instead.
 */
export function takeHandle(socket: net.Socket, onread: OnRead): net.Socket | undefined {
  const handle = (socket as WithHandle)._handle;
  if (handle === null || typeof handle !== 'object' || handle.reading !== false) return undefined;
  (socket as WithHandle)._handle = null;
  // Lets the server count the connection as gone; it owns nothing that could be destroyed any more.
  socket.destroy();
  // Options of the constructor that the type declarations leave out. Without `manualStart` it would read before there is a reader.
  return new net.Socket({ handle, onread, allowHalfOpen: true, manualStart: true } as unknown as net.SocketConstructorOpts);
}

/**
 * The reverse: a paused plain socket on the handle of one that is read with `onread`, for a TLS socket to wrap. It cannot be read itself,
 * as the handle goes on reading into the buffer of `onread`; TLS takes the bytes before that.
 */
export function giveHandle(socket: net.Socket): net.Socket | undefined {
  const handle = (socket as WithHandle)._handle;
  if (handle === null || typeof handle !== 'object') return undefined;
  (socket as WithHandle)._handle = null;
  socket.destroy();
  return new net.Socket({ handle, allowHalfOpen: true, manualStart: true } as unknown as net.SocketConstructorOpts);
}

/** Number of the socket's file in the process; -1 where Node does not tell. */
export function fileNumberOf(socket: net.Socket): number {
  const { fd } = ((socket as WithHandle)._handle ?? {}) as { fd?: number };
  return typeof fd === 'number' ? fd : -1;
}
