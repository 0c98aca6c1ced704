import net from 'node:net';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { readClientHello } from '../../../src/origin-agent/tls/hello.ts';

/** What Node's own client says first. */
function captureHello(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      socket.once('data', (bytes) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const client = connect({ port: (server.address() as net.AddressInfo).port, host: '127.0.0.1', ...options });
      client.on('error', () => {});
    });
    server.on('error', reject);
  });
}

/** The same hello in records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const content = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) {
    const piece = content.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece);
  }
  return Buffer.concat(records);
}

let hello: Buffer;
beforeAll(async () => {
  hello = await captureHello({ servername: 'Blog.Example.COM', ALPNProtocols: ['h2', 'http/1.1'] });
});

describe('readClientHello', () => {
  it('finds name and protocols', () => {
    expect(readClientHello(hello)).toEqual({ serverName: 'blog.example.com', protocols: ['h2', 'http/1.1'] });
  });

  it('finds them in several records', () => {
    expect(readClientHello(inRecords(hello, 100))).toEqual({ serverName: 'blog.example.com', protocols: ['h2', 'http/1.1'] });
  });

  it('waits for every byte', () => {
    for (let size = 0; size < hello.length; size++) expect(readClientHello(hello.subarray(0, size))).toBe('more');
  });

  it('knows a client that names nothing', async () => {
    expect(readClientHello(await captureHello({}))).toEqual({ serverName: '', protocols: [] });
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), 'other'],
    ['a record that is too long', Buffer.from([22, 3, 1, 0xff, 0xff]), 'broken'],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0]), 'broken'],
    ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]), 'broken'],
    ['a hello of a mebibyte', Buffer.from([22, 3, 1, 0, 4, 1, 0x10, 0, 0]), 'broken'],
    ['a hello without content', Buffer.from([22, 3, 1, 0, 4, 1, 0, 0, 0]), 'broken'],
  ])('%s', (_name, bytes, expected) => {
    expect(readClientHello(bytes)).toBe(expected);
  });

  it('never throws, whatever byte is changed', () => {
    for (let at = 0; at < hello.length; at++) {
      const changed = Buffer.from(hello);
      changed[at] = changed[at]! ^ 0xff;
      expect(() => readClientHello(changed)).not.toThrow();
    }
  });
});
