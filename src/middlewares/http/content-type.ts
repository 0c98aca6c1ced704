import { boolean, object } from '../../base/schema.ts';
import { detectContentType } from '../../base/sniff.ts';
import { defineMiddleware } from '../middleware.ts';
import { peekBody } from '../peek-body.ts';

export const contentType = defineMiddleware({
  kind: 'contentType',
  summary: 'Guesses the Content-Type of responses that have none from their first bytes.',
  options: object(
    { autoDetect: boolean('False switches the middleware off.', { deprecated: 'the middleware itself switches detection on.' }) },
    'contentType',
    { presence: true },
  ),
  edge: true,
  create({ autoDetect }) {
    if (autoDetect === false) return (request, next) => next(request);
    return async (request, next) => {
      const response = await next(request);
      const { headers, body } = response;
      // Of packed bytes nothing can be told.
      if (body === undefined || headers.has('Content-Type') || headers.get('Content-Encoding')) return response;
      const peeked = await peekBody(body);
      response.body = peeked.body;
      if (peeked.first.length > 0) headers.append('Content-Type', detectContentType(peeked.first));
      return response;
    };
  },
});
