import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRequest, HeaderList } from '../../src/base/message.ts';
import { dropEdgewayFields, ENVELOPE, formatEnvelope, parseEnvelope, restoreFields } from '../../src/config/envelope.ts';

describe('envelope', () => {
  it('carries target, host, client, scheme and the fields that the way changes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.option(fc.string(), { nil: undefined }),
        fc.string(),
        fc.constantFrom('203.0.113.7', '2001:db8::1', ''),
        fc.nat(65_535),
        fc.constantFrom('http' as const, 'https' as const),
        fc.array(fc.tuple(fc.constantFrom('X-Forwarded-Proto', 'Accept-Encoding', 'cf-ray'), fc.string())),
        (rawPath, query, host, clientAddress, clientPort, scheme, fields) => {
          fc.pre(rawPath.isWellFormed());
          const path = `/${rawPath.replaceAll('?', '')}`;
          const headers = new HeaderList([...fields.flat(), 'X-Own', 'kept']);
          const request = createRequest({ path, query, host, clientAddress, clientPort, scheme, headers });
          const sent = new HeaderList(formatEnvelope(request).flat());
          for (const [, value] of sent) expect(value).toMatch(/^([!-~]+( \d+ HTTP\/1\.1)?)?$/);
          const rest = { protocol: 'HTTP/1.1', method: undefined, tls: undefined, router: undefined };
          expect(parseEnvelope(sent)).toEqual({ path, query, host, clientAddress, clientPort, scheme, fields, ...rest });
        },
      ),
    );
  });

  const good = formatEnvelope(createRequest({ host: 'a.example.com', path: '/x', query: 'q' })).flat();
  const without = (name: string, value?: string) => {
    const headers = new HeaderList(good.slice());
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
    return headers;
  };

  it.each([
    ['no target', without(ENVELOPE.target)],
    ['no host', without(ENVELOPE.host)],
    ['no client', without(ENVELOPE.client)],
    ['another scheme', without(ENVELOPE.scheme, 'ftp')],
    ['no address', without(ENVELOPE.client, 'evil.example.com 80 HTTP/1.1')],
    ['a broken certificate', without(ENVELOPE.tls, '1.3 X ***')],
    ['a broken escape', without(ENVELOPE.target, '=%E0%A4')],
    ['a broken field', without(ENVELOPE.fields, 'a=%')],
  ])('is refused with %s', (_, headers) => {
    expect(parseEnvelope(new HeaderList(good.slice()))).toBeDefined();
    expect(parseEnvelope(headers)).toBeUndefined();
  });

  it('carries what is known of the TLS connection', () => {
    const tls = { version: '1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientCertificates: [new Uint8Array([1, 2, 255])], options: 'default' };
    const request = createRequest({ host: 'a.example.com:8443', scheme: 'https', tls: { ...tls, serverName: 'a.example.com' } });
    expect(parseEnvelope(new HeaderList(formatEnvelope(request).flat()))!.tls).toEqual({ ...tls, serverName: 'a.example.com' });
  });

  it('names the router of the edge, whatever its letters', () => {
    const request = createRequest({ host: 'a.example.com' });
    request.facts.routerName = 'bücher shop@file';
    expect(parseEnvelope(new HeaderList(formatEnvelope(request).flat()))!.router).toBe('bücher shop@file');
  });

  it('puts right what the way to the agent changed, and takes its own fields away', () => {
    const request = createRequest({
      headers: new HeaderList(['X-Forwarded-Proto', 'https', 'Accept-Encoding', 'zstd', 'X-Own', 'a', 'x-own', 'b']),
    });
    const arrived = new HeaderList([
      ...['accept-encoding', 'br, gzip', 'x-forwarded-for', '198.51.100.1', 'cf-connecting-ip', '198.51.100.1', 'X-Own', 'a', 'x-own', 'b'],
      ...formatEnvelope(request).flat(),
      'edgeway-grant',
      'token',
    ]);
    expect(restoreFields(arrived, parseEnvelope(arrived)!).raw).toEqual([
      ...['X-Own', 'a', 'x-own', 'b', 'X-Forwarded-Proto', 'https', 'Accept-Encoding', 'zstd'],
    ]);
  });

  it('drops edgeway-* in any case', () => {
    const headers = new HeaderList(['Edgeway-Grant', '1', 'EDGEWAY-X', '2', 'edgeway', '3', 'X-Edgeway-Y', '4']);
    dropEdgewayFields(headers);
    expect(headers.raw).toEqual(['edgeway', '3', 'X-Edgeway-Y', '4']);
  });
});
