/** What an answer looks like on the wire, as far as it can be decided without a connection. */
import { HeaderList, type ProxyRequest, type ProxyResponse } from '../../base/message.ts';
import { statusText } from '../../base/status-text.ts';
import type { Refusal } from './fields.ts';
import { type OutgoingFraming, responseHeadText } from './head-text.ts';

/** An answer to HEAD and one of 204 or 304 have no body (RFC 9110 §6.4.1). */
export const isBodyless = (request: ProxyRequest, status: number): boolean => request.method === 'HEAD' || status === 204 || status === 304;

/** HEAD keeps the length that the answer announces; 204 and 304 have none, as Traefik sends them. */
export function bodylessFraming(request: ProxyRequest, { status, headers, body }: ProxyResponse): OutgoingFraming {
  if (request.method !== 'HEAD' || status === 204 || status === 304) return null;
  const announced = headers.get('Content-Length');
  return announced !== undefined && /^[0-9]{1,15}$/.test(announced) ? Number(announced) : (body?.length ?? null);
}

/** By length where it is known, else chunked; HTTP/1.0 knows no chunks, there the connection's end is the end (null). */
export function bodyFraming({ body }: ProxyResponse, minor: 0 | 1): OutgoingFraming {
  if (body === undefined) return 0;
  return body.length ?? (minor === 1 ? 'chunked' : null);
}

/** An answer that this side makes because nobody else can: the phrase as body, the connection closes. */
export function failureText(status: number, minor: 0 | 1, date: string): string {
  const text = statusText(status);
  const headers = new HeaderList(['Content-Type', 'text/plain; charset=utf-8']);
  const version = minor === 1 ? '1.1' : '1.0';
  return responseHeadText(status, headers, { version, framing: text.length, connection: 'close', date }) + text;
}

/** 417 for an Expect that is no `100-continue`. */
export const expectationFailedText = (date: string): string =>
  responseHeadText(417, new HeaderList(), { version: '1.1', framing: 0, connection: 'close', date });

/** As Go answers what it cannot read: bare, without Date, the detail in the phrase. */
export function refusalText({ status, detail }: Refusal): string {
  const phrase = `${status} ${statusText(status)}`;
  // Go names the detail of 501 in the body alone.
  const line = detail === '' || status === 501 ? phrase : `${phrase}: ${detail}`;
  return `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status === 501 ? detail : line}`;
}
