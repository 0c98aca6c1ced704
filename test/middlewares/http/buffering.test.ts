import { describe, expect, it } from 'vitest';
import { createStreamBody, textResponse } from '../../../src/base/body.ts';
import { decodeText, encodeText } from '../../../src/base/bytes.ts';
import { finish, HeaderList, type ProxyRequest, type ProxyResponse } from '../../../src/base/message.ts';
import { buffering } from '../../../src/middlewares/http/buffering.ts';
import type { Spill } from '../../../src/middlewares/middleware.ts';
import { build, makeRequest, readAnswer, refusal } from '../../support/middleware-harness.ts';

/** A disk that tells what is on it. */
function createDisk() {
  const disk = { written: 0, open: 0 };
  const spill = (): Spill => {
    const chunks: Uint8Array[] = [];
    disk.open++;
    return {
      async write(chunk) {
        chunks.push(chunk.slice());
        disk.written += chunk.length;
      },
      async *read() {
        yield* chunks;
      },
      close: () => void disk.open--,
    };
  };
  return { disk, spill };
}

async function* pieces(...texts: string[]) {
  for (const text of texts) yield encodeText(text);
}
const streamed = (...texts: string[]): ProxyResponse => ({
  status: 200,
  headers: new HeaderList(),
  body: createStreamBody(pieces(...texts)),
});
const chunked = (...texts: string[]): ProxyRequest => ({ ...makeRequest({ method: 'POST' }), body: createStreamBody(pieces(...texts)) });

describe('requests', () => {
  it.each([
    ['of 10 bytes', makeRequest({ method: 'POST', body: '0123456789' }), 200],
    ['of 11 bytes', makeRequest({ method: 'POST', body: '0123456789x' }), 413],
    ['of 10 bytes in chunks', chunked('01234', '56789'), 200],
    ['of 11 bytes in chunks', chunked('01234', '56789', 'x'), 413],
    ['without a body', makeRequest(), 200],
  ])('%s with maxRequestBodyBytes 10: %#', async (_, request, status) => {
    const { run, seen } = build(buffering, { maxRequestBodyBytes: 10 });
    const answer = await readAnswer(await run(request));
    expect(answer).toMatchObject(status === 200 ? { status } : { status, body: 'Request Entity Too Large' });
    expect(seen).toHaveLength(status === 200 ? 1 : 0);
  });

  it('get a length', async () => {
    let length: number | undefined;
    const { run } = build(
      buffering,
      {},
      {
        server: async ({ body }) => {
          length = body?.length;
          return textResponse(200, decodeText(await body!.bytes(99)));
        },
      },
    );
    expect((await readAnswer(await run(chunked('abc', 'defgh')))).body).toBe('abcdefgh');
    expect(length).toBe(8);
  });

  it('lose an empty body', async () => {
    const { run, seen } = build(buffering, {});
    await run(chunked());
    expect(seen[0]!.body).toBeUndefined();
  });

  it('pass as they come with disableRequestBuffer', async () => {
    const { run, seen } = build(buffering, { disableRequestBuffer: true, maxRequestBodyBytes: 1 });
    await run(chunked('abc'));
    expect(seen[0]!.body).toBe('abc');
  });
});

describe('responses', () => {
  it('get a length', async () => {
    const { ask } = build(buffering, {}, { server: async () => streamed('a', 'b', 'c') });
    expect(await ask()).toMatchObject({ status: 200, body: 'abc', headers: [['Content-Length', '3']] });
  });

  it.each([
    ['at once', async () => textResponse(200, 'x'.repeat(101))],
    ['in chunks', async () => streamed('x'.repeat(100), 'x')],
  ])('that are too large %s are 500', async (_, server) => {
    expect(await build(buffering, { maxResponseBodyBytes: 100 }, { server }).ask()).toMatchObject({
      status: 500,
      body: 'Internal Server Error',
    });
  });

  it('pass as they come with disableResponseBuffer', async () => {
    const { ask } = build(buffering, { disableResponseBuffer: true, maxResponseBodyBytes: 1 }, { server: async () => streamed('a', 'b') });
    expect(await ask()).toMatchObject({ body: 'ab', headers: [] });
  });

  it('without a body stay so, upgrades too', async () => {
    const tunnel = {};
    const server = async (): Promise<ProxyResponse> => ({ status: 101, headers: new HeaderList(), body: undefined, tunnel });
    expect(await build(buffering, { retryExpression: 'Attempts() < 5' }, { server }).run(makeRequest())).toMatchObject({
      status: 101,
      tunnel,
    });
  });
});

describe('the disk', () => {
  it('holds what is beyond memory, until the response was read', async () => {
    const { disk, spill } = createDisk();
    const server = async ({ body }: ProxyRequest) => streamed(decodeText(await body!.bytes(99)), '!');
    const { run } = build(buffering, { memRequestBodyBytes: 5, memResponseBodyBytes: 3 }, { platform: { spill }, server });
    const request = chunked('abc', 'defgh', 'i');
    const response = await run(request);
    // Three bytes of the request stayed in memory; the response's first piece was too large already.
    expect(disk).toEqual({ written: 6 + 10, open: 2 });
    expect((await readAnswer(response)).body).toBe('abcdefghi!');
    finish(request.facts);
    expect(disk.open).toBe(0);
  });

  it.each([
    ['a body that is too large', { maxRequestBodyBytes: 8, memRequestBodyBytes: 1 }, undefined, 413],
    ['a server that fails', { memRequestBodyBytes: 1 }, new Error('down'), 'down'],
  ])('is freed after %s', async (_, options, error, expected) => {
    const { disk, spill } = createDisk();
    const server = async () => {
      if (error !== undefined) throw error;
      return streamed();
    };
    const { run } = build(buffering, options, { platform: { spill }, server });
    const outcome = await run(chunked('abc', 'def', 'ghi')).then(
      ({ status }) => status,
      (reason: Error) => reason.message,
    );
    expect([outcome, disk.open]).toEqual([expected, 0]);
  });

  it('is not needed where there is none', async () => {
    const { run } = build(buffering, { memRequestBodyBytes: 1 });
    expect((await run(chunked('abc', 'def'))).status).toBe(200);
  });
});

describe('retryExpression', () => {
  const failing = (count: number, status: number) => {
    const bodies: (string | undefined)[] = [];
    const server = async ({ body }: ProxyRequest) => {
      bodies.push(body && decodeText(await body.bytes(99)));
      return textResponse(bodies.length <= count ? status : 200, '');
    };
    return { bodies, server };
  };
  it.each([
    ['IsNetworkError() && Attempts() < 3', 502, 1, 'POST', 'x', 2, 200],
    ['IsNetworkError() && Attempts() < 3', 504, 9, 'POST', 'x', 3, 504],
    ['IsNetworkError() && Attempts() < 3', 503, 1, 'POST', 'x', 1, 503],
    // Traefik never tries a request without a body again.
    ['IsNetworkError() && Attempts() < 3', 502, 1, 'GET', undefined, 2, 200],
    ['ResponseCode() == 503 && Attempts() <= 2', 503, 9, 'PUT', 'x', 3, 503],
    ['ResponseCode() >= 500', 500, 99, 'PUT', 'x', 11, 500],
    ['RequestMethod() == "PUT"', 500, 99, 'POST', 'x', 1, 500],
    ['RequestMethod() == "PUT" && Attempts() == 1', 500, 99, 'PUT', 'x', 2, 500],
  ])('%s with %i, %i times, for %s', async (retryExpression, status, count, method, body, tries, expected) => {
    const { bodies, server } = failing(count, status);
    expect((await build(buffering, { retryExpression }, { server }).ask({ method, body })).status).toBe(expected);
    expect(bodies).toEqual(Array(tries).fill(body));
  });

  it('cannot send a body again that it does not hold', async () => {
    const { bodies, server } = failing(1, 502);
    await build(buffering, { retryExpression: 'IsNetworkError()', disableRequestBuffer: true }, { server }).ask({
      method: 'POST',
      body: 'x',
    });
    expect(bodies).toEqual(['x']);
  });
});

it.each([
  [{ maxRequestBodyBytes: -1 }, "'maxRequestBodyBytes' is -1; write a number of bytes, or 0 for none"],
  [{ memRequestBodyBytes: -1 }, "'memRequestBodyBytes' is -1; write a number of bytes, or 0 for none"],
  [{ maxResponseBodyBytes: -1 }, "'maxResponseBodyBytes' is -1; write a number of bytes, or 0 for none"],
  [{ memResponseBodyBytes: -1 }, "'memResponseBodyBytes' is -1; write a number of bytes, or 0 for none"],
  [
    { retryExpression: 'LatencyAtQuantileMS(50.0) > 1' },
    `'retryExpression' "LatencyAtQuantileMS(50.0) > 1": there is no function 'LatencyAtQuantileMS'; known are Attempts(), ResponseCode(), RequestMethod(), IsNetworkError()`,
  ],
])('refuses %j', (options, message) => {
  expect(refusal(buffering, options)).toBe(message);
});
