import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRequest } from '../../../src/base/message.ts';
import { type Authority, createAuthority } from '../../support/edge/certificates.ts';
import { ANSWER, newUpstream, reach, textOf } from '../../support/http1-upstream.ts';
import { serverTarget } from '../../support/server-target.ts';
import { until } from '../../support/until.ts';

describe('ways to a server', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = createAuthority();
  });

  async function tlsServer(options: tls.TlsOptions): Promise<{ port: number; sockets: tls.TLSSocket[]; reused: boolean[] }> {
    const { key, certificate } = authority.issue(['one.test']);
    const sockets: tls.TLSSocket[] = [];
    const reused: boolean[] = [];
    const server = tls.createServer({ key, cert: certificate, ...options }, (socket) => {
      sockets.push(socket);
      reused.push(socket.isSessionReused());
      socket.on('error', () => {});
      socket.on('data', () => socket.write(ANSWER));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: (server.address() as net.AddressInfo).port, sockets, reused };
  }

  it('TLS: name, own authority, and a session that is taken up again', async () => {
    const { port, sockets, reused } = await tlsServer({});
    const upstream = newUpstream();
    const target = serverTarget(port, { serverName: 'one.test', rootCAs: [authority.certificate] }, 'https');
    expect(await textOf(await upstream.send(target, createRequest()))).toBe('ok');
    sockets[0]!.destroy();
    await until(() => upstream.idle === 0);
    expect(await textOf(await upstream.send(target, createRequest()))).toBe('ok');
    expect(sockets.map((socket) => socket.servername)).toEqual(['one.test', 'one.test']);
    expect(reused).toEqual([false, true]);
  });

  const untrusted: [string, () => object, string][] = [
    ['an unknown authority', () => ({ serverName: 'one.test' }), 'upstream.tls'],
    ['another name', () => ({ serverName: 'two.test', rootCAs: [authority.certificate] }), 'upstream.tls'],
    ['the address as name', () => ({ rootCAs: [authority.certificate] }), 'upstream.tls'],
    [
      'a URI that is not there',
      () => ({ serverName: 'one.test', rootCAs: [authority.certificate], peerCertURI: 'spiffe://x' }),
      'upstream.tls',
    ],
    [
      'an authority that is no PEM',
      () => ({ rootCAs: ['nonsense'], certificates: [{ certFile: 'nonsense', keyFile: 'x' }] }),
      'upstream.tls',
    ],
    [
      'no version in common',
      () => ({ insecureSkipVerify: true, maxVersion: 'VersionTLS11', minVersion: 'VersionTLS11' }),
      'upstream.refused',
    ],
    [
      'no suite in common',
      () => ({ insecureSkipVerify: true, maxVersion: 'VersionTLS12', cipherSuites: ['TLS_RSA_WITH_AES_128_GCM_SHA256'] }),
      'upstream.refused',
    ],
  ];
  it.each(untrusted)('TLS: %s fails', async (_name, transport, code) => {
    const { port } = await tlsServer({});
    await expect(newUpstream().send(serverTarget(port, transport(), 'https'), createRequest())).rejects.toMatchObject({ code });
  });

  it('TLS: insecureSkipVerify trusts anybody', async () => {
    const { port } = await tlsServer({});
    expect(await textOf(await newUpstream().send(serverTarget(port, { insecureSkipVerify: true }, 'https'), createRequest()))).toBe('ok');
  });

  it('TLS: shows a certificate to a server that wants one', async () => {
    const { port, sockets } = await tlsServer({
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority.certificate,
      maxVersion: 'TLSv1.2',
    });
    const client = authority.issue(['client.test']);
    const upstream = newUpstream();
    await expect(upstream.send(serverTarget(port, { insecureSkipVerify: true }, 'https'), createRequest())).rejects.toMatchObject({
      code: 'upstream.refused',
    });
    const certificates = [{ certFile: client.certificate, keyFile: client.key }];
    expect(
      await textOf(await upstream.send(serverTarget(port, { insecureSkipVerify: true, certificates }, 'https'), createRequest())),
    ).toBe('ok');
    expect(sockets[0]!.getPeerCertificate().subject.CN).toBe('client.test');
  });

  it('dialTimeout counts until the handshake is over', async () => {
    const { server, clock, upstream } = await reach();
    const answer = upstream.send(serverTarget(server.port, { forwardingTimeouts: { dialTimeout: 1000 } }, 'https'), createRequest());
    answer.catch(() => {});
    const connection = await server.next();
    await connection.bytes(1);
    await clock.advance(1001);
    await expect(answer).rejects.toMatchObject({ code: 'upstream.timeout', sent: false });
    await connection.end();
  });

  it('gives up dialling when the client goes away', async () => {
    const { server, upstream } = await reach();
    const request = createRequest();
    const answer = upstream.send(serverTarget(server.port, {}, 'https'), request);
    answer.catch(() => {});
    await (await server.next()).bytes(1);
    request.cancellation.cancel();
    await expect(answer).rejects.toMatchObject({ code: 'upstream.aborted', sent: false });
    await expect(upstream.send(serverTarget(server.port), request)).rejects.toMatchObject({ code: 'upstream.aborted', sent: false });
  });

  it('Unix sockets', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'edgeway-unix-'));
    const socketPath = path.join(folder, 'a b.sock');
    const server = net.createServer((socket) => void socket.on('data', () => socket.write(ANSWER))).listen(socketPath);
    await new Promise((resolve) => server.once('listening', resolve));
    const upstream = newUpstream();
    onTestFinished(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    const target = { ...serverTarget(0), url: `unix://${folder}/a%20b.sock`, host: 'localhost' };
    expect(await textOf(await upstream.send(target, createRequest()))).toBe('ok');
  });

  it('a Unix socket that is not there', async () => {
    const target = { ...serverTarget(0), url: 'unix:///nowhere.sock', host: 'localhost' };
    await expect(newUpstream().send(target, createRequest())).rejects.toMatchObject({ code: 'upstream.refused', sent: false });
  });
});
