import { describe, expect, it } from 'vitest';
import { serverTarget } from '../../support/server-target.ts';
import type { RimUnderTest } from './rim.ts';

/** Both sides of a rim together. */
export function describeThrough(name: string, { talk, sender, upstream }: RimUnderTest): void {
  describe(`${name}: through and through`, () => {
    const proxy = async (transport: object = {}) => {
      const server = await upstream();
      const send = sender();
      const client = await talk((request) => send(serverTarget(server.port, transport), request));
      return { server, client };
    };

    it('passes large bodies both ways', async () => {
      const { server, client } = await proxy();
      const up = 'u'.repeat(3_000_000);
      const down = 'd'.repeat(3_000_000);
      client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${up.length}\r\n\r\n${up}`);
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      expect((await connection.bytes(up.length)) === up).toBe(true);
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${down.length}\r\n\r\n${down}`);
      expect((await client.response()).body === down).toBe(true);
    });

    it('passes chunks and trailers both ways', async () => {
      const { server, client } = await proxy();
      client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n');
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      expect(await connection.until('X-T: 1\r\n\r\n')).toBe('3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n');
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\nX-U: 2\r\n\r\n');
      expect((await client.response()).body).toBe('xyz|X-U: 2\r\n');
    });

    it('joins an upgraded connection', async () => {
      const { server, client } = await proxy();
      client.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      const connection = await server.next();
      expect(await connection.until('\r\n\r\n')).toMatch(
        /Upgrade: websocket\r\n[\s\S]*Connection: Upgrade\r\n|Connection: Upgrade\r\n[\s\S]*Upgrade: websocket\r\n/,
      );
      connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst!');
      expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      expect(await client.bytes(6)).toBe('first!');
      client.write('ping');
      expect(await connection.bytes(4)).toBe('ping');
      connection.write('pong');
      expect(await client.bytes(4)).toBe('pong');
      client.socket.end();
      expect(await connection.end()).toBe('');
      connection.write('late');
      expect(await client.bytes(4)).toBe('late');
      connection.socket.end();
      await client.end();
    });

    it('does not follow a client that wants h2c', async () => {
      const { server, client } = await proxy();
      client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n');
      const connection = await server.next();
      expect(await connection.until('\r\n\r\n')).not.toMatch(/^Connection: .*Upgrade/im);
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      expect((await client.response()).body).toBe('ok');
    });

    it('passes the refusal of an upgrade', async () => {
      const { server, client } = await proxy();
      client.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      const { head, body } = await client.response();
      expect(head).toMatch(/^HTTP\/1.1 403 Forbidden/);
      expect(body).toBe('no');
    });

    it('cuts the answer for the client when the server cuts it', async () => {
      const { server, client } = await proxy();
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n');
      await client.until('4\r\npart\r\n');
      connection.socket.end();
      expect(await client.end()).toBe('');
    });

    it('closes the connection to the server when the client goes away in the middle of the answer', async () => {
      const { server, client } = await proxy();
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
      await client.until('part');
      client.socket.resetAndDestroy();
      await connection.end();
    });
  });
}
