import { expect, it } from 'vitest';
import { createStreamBody, textResponse } from '../../../src/base/body.ts';
import { encodeText } from '../../../src/base/bytes.ts';
import { HeaderList, type ProxyResponse } from '../../../src/base/message.ts';
import { contentType } from '../../../src/middlewares/http/content-type.ts';
import { build } from '../../support/middleware-harness.ts';

async function* pieces(...texts: string[]) {
  for (const text of texts) yield encodeText(text);
}
const stream = (...texts: string[]): ProxyResponse => ({
  status: 200,
  headers: new HeaderList(),
  body: createStreamBody(pieces(...texts)),
});

it.each<[string, object, () => ProxyResponse, string | undefined, string]>([
  ['a page', {}, () => textResponse(200, '<html><body>x</body></html>'), 'text/html; charset=utf-8', '<html><body>x</body></html>'],
  ['JSON', {}, () => textResponse(200, '{"a":1}'), 'text/plain; charset=utf-8', '{"a":1}'],
  ['a stream by its first bytes', {}, () => stream('', '<html>', '\0'), 'text/html; charset=utf-8', '<html>\0'],
  ['what has a type', {}, () => textResponse(200, '<html>', { contentType: 'a/b' }), 'a/b', '<html>'],
  ['what has an empty type', {}, () => textResponse(200, '<html>', { headers: ['content-type', ''] }), '', '<html>'],
  ['packed bytes', {}, () => textResponse(200, '<html>', { headers: ['Content-Encoding', 'br'] }), undefined, '<html>'],
  ['nothing', {}, () => stream(), undefined, ''],
  ['no body', {}, () => ({ status: 204, headers: new HeaderList(), body: undefined }), undefined, ''],
  ['a page with autoDetect', { autoDetect: true }, () => textResponse(200, '<html>'), 'text/html; charset=utf-8', '<html>'],
  ['a page with autoDetect off', { autoDetect: false }, () => textResponse(200, '<html>'), undefined, '<html>'],
])('%s', async (_, options, server, type, body) => {
  const answer = await build(contentType, options, { server: async () => server() }).ask();
  expect([answer.header('Content-Type'), answer.body]).toEqual([type, body]);
});
