import { createHash } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * Makes the server echo messages of WebSockets, and close with the code that it was closed with. Understands unfragmented frames
 * below 64 KiB; `head` gets the request of each connection.
 */
export function echoWebSockets(server: Server, head: (request: IncomingMessage, socket: Duplex) => void = () => {}): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    head(request, socket);
    const accept = createHash('sha1')
      .update(request.headers['sec-websocket-key']! + GUID)
      .digest('base64');
    const protocol = request.headers['sec-websocket-protocol']?.split(',')[0];
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
    if (protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.on('error', () => {});
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (let frame = readFrame(pending); frame !== undefined; frame = readFrame(pending)) {
        pending = pending.subarray(frame.size);
        // A ping is answered by a pong, all else by itself.
        socket.write(writeFrame(frame.opcode === 9 ? 10 : frame.opcode, frame.payload));
        if (frame.opcode === 8) socket.end();
      }
    });
  });
}

function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 6) return undefined;
  const short = bytes[1]! & 0x7f;
  const start = short === 126 ? 4 : 2;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  const size = start + 4 + length;
  if (bytes.length < size) return undefined;
  const mask = bytes.subarray(start, start + 4);
  const payload = Buffer.from(bytes.subarray(start + 4, size).map((byte, i) => byte ^ mask[i % 4]!));
  return { opcode: bytes[0]! & 0x0f, payload, size };
}

function writeFrame(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, payload.length])
      : Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}
