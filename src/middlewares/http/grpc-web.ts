import { createStreamBody, textResponse } from '../../base/body.ts';
import { bytesOf, byteTextOf, concatBytes, encodeText, fromBase64, toBase64 } from '../../base/bytes.ts';
import { ClientError } from '../../base/errors.ts';
import type { Body, HeaderList, ProxyRequest, ProxyResponse } from '../../base/message.ts';
import { list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

const GRPC = 'application/grpc';
const GRPC_WEB = 'application/grpc-web';
const GRPC_WEB_TEXT = 'application/grpc-web-text';
/** Seconds. */
const PREFLIGHT_AGE = 600;

export const grpcWeb = defineMiddleware({
  kind: 'grpcWeb',
  summary: 'Translates gRPC-Web requests into gRPC.',
  options: object({ allowOrigins: list(string('An origin, or `*`.'), 'Origins that browsers may call from.') }, 'grpcWeb'),
  edge: 'gRPC needs response trailers, which fetch does not give',
  create({ allowOrigins = [] }) {
    const isAllowed = (origin: string): boolean => origin !== '' && (allowOrigins.includes('*') || allowOrigins.includes(origin));
    return async (request, next) => {
      if (!isGrpcWeb(request)) return next(request);
      const { method, headers } = request;
      const origin = headers.get('Origin') ?? '';
      if (method === 'OPTIONS' && headers.get('Access-Control-Request-Method')) return answerPreflight(headers, origin, isAllowed(origin));
      const type = headers.get('Content-Type') ?? '';
      const text = type.startsWith(GRPC_WEB_TEXT);
      headers.set('Content-Type', type.replace(text ? GRPC_WEB_TEXT : GRPC_WEB, GRPC));
      // Behind this point the length of the frames is not that of the body.
      headers.delete('Content-Length');
      if (request.body !== undefined) request.body = text ? decodeBase64(request.body) : withoutLength(request.body);
      const response = toGrpcWeb(await next(request), text);
      response.headers.append('Vary', 'Origin');
      if (isAllowed(origin)) allow(response.headers, origin);
      exposeAll(response.headers);
      return response;
    };
  },
});

const isGrpcWeb = ({ method, headers }: ProxyRequest): boolean =>
  method === 'OPTIONS'
    ? (headers.get('Access-Control-Request-Headers') ?? '').toLowerCase().includes('x-grpc-web')
    : method === 'POST' && (headers.get('Content-Type') ?? '').startsWith(GRPC_WEB);

function allow(headers: HeaderList, origin: string): void {
  headers.set('Access-Control-Allow-Origin', origin);
  headers.set('Access-Control-Allow-Credentials', 'true');
}

function answerPreflight(asked: HeaderList, origin: string, allowed: boolean): ProxyResponse {
  const answer = textResponse(200, '');
  const { headers } = answer;
  for (const name of ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers']) headers.append('Vary', name);
  const method = asked.get('Access-Control-Request-Method')!.toUpperCase();
  if (!allowed || !/^(?:GET|HEAD|POST|OPTIONS)$/.test(method)) return answer;
  allow(headers, origin);
  headers.append('Access-Control-Allow-Methods', method);
  headers.append('Access-Control-Allow-Headers', fieldNames(asked.get('Access-Control-Request-Headers') ?? ''));
  headers.append('Access-Control-Max-Age', String(PREFLIGHT_AGE));
  return answer;
}

/** `x-grpc-web,content-type` as `X-Grpc-Web, Content-Type`; what is no name is left out. */
const fieldNames = (text: string): string =>
  text
    .split(/[ ,]+/)
    .map((name) =>
      name
        .replace(/[^\w-]/g, '')
        .toLowerCase()
        .replace(/(^|[-_])[a-z]/g, (start) => start.toUpperCase()),
    )
    .filter((name) => name !== '')
    .join(', ');

const withoutLength = (body: Body): Body => ({
  length: undefined,
  chunks: () => body.chunks(),
  bytes: (limit) => body.bytes(limit),
  discard: () => body.discard(),
  trailers: () => body.trailers(),
});

/** A browser cannot see trailers: they follow the body as a last frame. */
function toGrpcWeb(response: ProxyResponse, text: boolean): ProxyResponse {
  const { headers, body } = response;
  headers.delete('Trailer');
  const type = headers.get('Content-Type');
  if (type !== undefined) headers.set('Content-Type', type.replace(GRPC, text ? GRPC_WEB_TEXT : GRPC_WEB));
  // Another answer, of a length that was announced, has no room for a frame.
  if (body?.length && !type?.startsWith(GRPC)) return response;
  headers.delete('Content-Length');
  response.body = createStreamBody(withTrailerFrame(body, headers, text ? toText : (bytes) => bytes), { onDiscard: () => body?.discard() });
  return response;
}

/** Padded parts may follow each other. */
const toText = (bytes: Uint8Array): Uint8Array => encodeText(toBase64(bytes));

async function* withTrailerFrame(
  body: Body | undefined,
  headers: HeaderList,
  encode: (bytes: Uint8Array) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  if (body !== undefined) for await (const chunk of body.chunks()) yield encode(chunk);
  const lines = [...(body?.trailers() ?? [])]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name !== 'trailer' && !headers.has(name))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const content = bytesOf(lines.join(''));
  const frame = new Uint8Array(5);
  frame[0] = 0x80;
  new DataView(frame.buffer).setUint32(1, content.length);
  yield encode(concatBytes([frame, content]));
}

/** All fields that the response has, and those that come in the last frame. */
function exposeAll(headers: HeaderList): void {
  const names = new Set([...headers].map(([name]) => name));
  headers.set('Access-Control-Expose-Headers', [...names, 'grpc-status', 'grpc-message'].join(', '));
}

/** The bytes of a Base64 text that comes in pieces, also of several padded ones behind each other. */
function decodeBase64(body: Body): Body {
  async function* run(): AsyncGenerator<Uint8Array> {
    let rest = '';
    for await (const chunk of body.chunks()) {
      const text = rest + byteTextOf(chunk).replace(/[\r\n]/g, '');
      const whole = text.length - (text.length % 4);
      rest = text.slice(whole);
      if (whole > 0) yield decodeParts(text.slice(0, whole));
    }
    if (rest !== '') throw new ClientError('client.malformed', 400, 'The gRPC-Web text ends within a group of Base64');
  }
  return createStreamBody(run(), { trailers: () => body.trailers(), onDiscard: () => body.discard() });
}

function decodeParts(text: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/.test(text))
    throw new ClientError('client.malformed', 400, 'The gRPC-Web text is no Base64');
  const parts = text.match(/(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)|(?:[A-Za-z0-9+/]{4})+$/g) ?? [];
  return concatBytes(parts.map(fromBase64));
}
