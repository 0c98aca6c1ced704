import { describe, expect, it } from 'vitest';
import { createBody, createStreamBody, textResponse } from '../../../src/base/body.ts';
import { encodeText } from '../../../src/base/bytes.ts';
import { UpstreamError } from '../../../src/base/errors.ts';
import { HeaderList, type ProxyResponse } from '../../../src/base/message.ts';
import { chunksOf, type RimUnderTest } from './rim.ts';

const withoutDate = (head: string): string => head.replace(/^Date: .*\r\n/im, '');

/** What a client gets of a handler's answers. */
export function describeAnswers(name: string, { talk }: RimUnderTest): void {
  describe(`${name}: answers`, () => {
    const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const stream = (...chunks: string[]) => createStreamBody(chunksOf(...chunks));
    const rows: [string, string, () => ProxyResponse, RegExp, string][] = [
      ['a body of known length', GET, () => textResponse(200, 'hello'), /^HTTP\/1.1 200 OK\r\n[\s\S]*Content-Length: 5\r\n/, 'hello'],
      ['no body', GET, () => ({ status: 200, headers: new HeaderList(), body: undefined }), /Content-Length: 0\r\n/, ''],
      [
        'a body of unknown length',
        GET,
        () => ({ status: 201, headers: new HeaderList(), body: stream('one', 'two') }),
        /^HTTP\/1.1 201 Created\r\n[\s\S]*Transfer-Encoding: chunked\r\n/,
        'onetwo',
      ],
      [
        'framing fields of the record are not believed',
        GET,
        () => ({
          status: 200,
          headers: new HeaderList(['content-length', '9', 'Transfer-Encoding', 'gzip', 'connection', 'x']),
          body: createBody('abc'),
        }),
        /^HTTP\/1.1 200 OK\r\n(?!.*gzip)[\s\S]*Content-Length: 3\r\n/i,
        'abc',
      ],
      ['a status without a phrase', GET, () => textResponse(299, 'x'), /^HTTP\/1.1 299 status code 299\r\n/, 'x'],
      [
        '204',
        GET,
        () => ({ status: 204, headers: new HeaderList(['X-A', '1', 'Content-Length', '3']), body: createBody('abc') }),
        /^HTTP\/1.1 204 No Content\r\nX-A: 1\r\n\r\n$/,
        '',
      ],
      [
        '304',
        GET,
        () => ({ status: 304, headers: new HeaderList(['ETag', '"e"']), body: undefined }),
        /^HTTP\/1.1 304 Not Modified\r\nETag: "e"\r\n\r\n$/,
        '',
      ],
      [
        'HEAD keeps the length of its headers',
        'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
        () => ({ status: 200, headers: new HeaderList(['Content-Length', '12']), body: undefined }),
        /Content-Length: 12\r\n/,
        '',
      ],
      ['HEAD of a body', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', () => textResponse(200, 'hello'), /Content-Length: 5\r\n/, ''],
      [
        'trailers',
        GET,
        () => ({
          status: 200,
          headers: new HeaderList(['Trailer', 'X-Sum']),
          body: createStreamBody(chunksOf('x'), { trailers: () => new HeaderList(['X-Sum', '7', 'X-Two', '8']) }),
        }),
        /Trailer: X-Sum\r\n/,
        'x|X-Sum: 7\r\nX-Two: 8\r\n',
      ],
      [
        'repeated fields in order and case',
        GET,
        () => ({ status: 200, headers: new HeaderList(['x-A', '1', 'Set-Cookie', 'a', 'X-a', '2', 'Set-Cookie', 'b']), body: undefined }),
        /x-A: 1\r\nSet-Cookie: a\r\nX-a: 2\r\nSet-Cookie: b\r\n/,
        '',
      ],
    ];
    it.each(rows)('%s', async (_name, text, answer, head, body) => {
      const client = await talk(async () => answer());
      for (let round = 0; round < 2; round++) {
        client.write(text);
        const response = await client.response({ bodyless: body === '' });
        expect(withoutDate(response.head)).toMatch(head);
        expect(response.body).toBe(body);
      }
      expect(client.received()).toBe('');
    });

    it('adds Date when it is absent, keeps it when there is one', async () => {
      const client = await talk(async (request) =>
        textResponse(200, '', request.path === '/own' ? { headers: ['date', 'Mon, 01 Jan 2024 00:00:00 GMT'] } : {}),
      );
      client.write('GET /own HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.response()).head.match(/^date: .*$/gim)).toEqual(['date: Mon, 01 Jan 2024 00:00:00 GMT']);
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.response()).head.match(/^date: .*$/gim)).toEqual([
        expect.stringMatching(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/),
      ]);
    });

    it('flushes each chunk as it comes', async () => {
      const releases: (() => void)[] = [];
      async function* slow(): AsyncGenerator<Uint8Array> {
        for (const text of ['one', 'two']) {
          yield encodeText(text);
          await new Promise<void>((resolve) => releases.push(resolve));
        }
      }
      const client = await talk(async () => ({ status: 200, headers: new HeaderList(), body: createStreamBody(slow()) }));
      client.write(GET);
      await client.until('3\r\none\r\n');
      releases.shift()!();
      await client.until('3\r\ntwo\r\n');
      releases.shift()!();
      await client.until('0\r\n\r\n');
    });

    it('sends interim answers before the final one', async () => {
      const client = await talk(async (request) => {
        request.interim!(103, new HeaderList(['Link', '</a.css>']));
        request.interim!(102, new HeaderList());
        return textResponse(200, 'x');
      });
      client.write(GET);
      expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
      expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 102 Processing\r\n\r\n');
      expect((await client.response()).body).toBe('x');
    });

    it.each([
      ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'Connection: close'],
      ['GET / HTTP/1.0\r\n\r\n', ''],
    ])('closes after %j', async (text, field) => {
      const client = await talk(async () => textResponse(200, 'bye'));
      client.write(text);
      const { head, body } = await client.response();
      expect(body).toBe('bye');
      if (field !== '') expect(head).toContain(field);
      expect(await client.end()).toBe('');
    });

    it('closes in the middle when the body fails, without an end', async () => {
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield encodeText('part');
        throw new UpstreamError('upstream.closed', 'gone');
      }
      const client = await talk(async () => ({ status: 200, headers: new HeaderList(), body: createStreamBody(failing()) }));
      client.write(GET);
      await client.until('4\r\npart\r\n');
      expect(await client.end()).toBe('');
    });

    it('answers 500 and closes when the handler throws', async () => {
      const client = await talk(async () => {
        throw new Error('our bug');
      });
      client.write(GET);
      expect((await client.response()).head).toMatch(/^HTTP\/1.1 500 [\s\S]*Connection: close/i);
      expect(await client.end()).toBe('');
    });
  });
}
