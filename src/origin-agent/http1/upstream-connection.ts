import type { Clock } from '../../base/clock.ts';
import { UpstreamError } from '../../base/errors.ts';
import { HeaderList, type ProxyRequest, type ProxyResponse } from '../../base/message.ts';
import { Deadline } from '../deadline.ts';
import type { Tunnel } from '../rim/tunnel.ts';
import { isReplayable, toUpstreamError } from '../rim/upstream-error.ts';
import type { Channel, ChannelOwner } from '../sockets/channel.ts';
import { latin1 } from '../sockets/latin1.ts';
import { BodyWriter, framedText } from './body-writer.ts';
import { parseResponseHead, type ResponseHead } from './head.ts';
import { HeadReader } from './head-reader.ts';
import { type OutgoingFraming, requestHeadText } from './head-text.ts';
import { type BodySource, type Framing, Http1Body } from './incoming-body.ts';
import type { Http1Limits } from './settings.ts';

/** What a connection to a server wants from the pool that made it. */
export interface UpstreamPool {
  readonly clock: Clock;
  readonly limits: Http1Limits;
  /** 0 for no limit. */
  readonly responseHeaderTimeoutMs: number;
  /** The exchange is over and the connection may serve another. */
  release(connection: UpstreamConnection): void;
  /** The connection is closed or in other hands. */
  forget(connection: UpstreamConnection): void;
  /** Sends on a new connection. */
  sendFresh(request: ProxyRequest): Promise<ProxyResponse>;
}

/** Go waits as long for `100 Continue` before it sends a body that expects it. */
const CONTINUE_WAIT_MS = 1000;
/** Interim answers to one request; more are an attack on whoever counts them. */
const MAX_INTERIMS = 64;
/** A body of this size behind its head goes into a buffer of the channel's own at once. */
const STREAM_BYTES = 16_384;

/** One connection to a server: one exchange at a time, kept for the next while both sides want it. */
export class UpstreamConnection implements ChannelOwner, BodySource {
  channel!: Channel;
  /** When it became idle, in milliseconds of the clock. */
  idleSince = 0;
  readonly #pool: UpstreamPool;
  readonly #head: HeadReader;
  readonly #deadline: Deadline;
  #exchanges = 0;
  #request: ProxyRequest | undefined;
  #resolve: ((response: ProxyResponse | PromiseLike<ProxyResponse>) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #writer: BodyWriter | undefined;
  /** The head is written, the body waits for `100 Continue`. */
  #held: BodyWriter | undefined;
  #body: Http1Body | undefined;
  /** Bytes of this exchange's answer have come. */
  #answered = false;
  #interims = 0;
  #keepAlive = true;
  readonly #onCancel = (): void => this.#fail(new UpstreamError('upstream.aborted', 'The client went away'));

  constructor(pool: UpstreamPool) {
    this.#pool = pool;
    this.#head = new HeadReader(pool.limits.maxHeaderBytes);
    this.#deadline = new Deadline(pool.clock, () => this.#onDeadline());
  }

  /** Sends a request and waits for the head of its answer. The connection must be connected and idle. */
  exchange(request: ProxyRequest): Promise<ProxyResponse> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#request = request;
      this.#exchanges++;
      this.#answered = false;
      this.#interims = 0;
      this.#keepAlive = true;
      request.cancellation.add(this.#onCancel);
      if (request.cancellation.cancelled) return;
      if (this.#pool.responseHeaderTimeoutMs > 0) this.#deadline.set(this.#pool.clock.now() + this.#pool.responseHeaderTimeoutMs);
      this.#send(request);
    });
  }

  #send(request: ProxyRequest): void {
    const { body } = request;
    if (body === undefined) {
      this.channel.write(requestHeadText(request, NEEDS_LENGTH.test(request.method) ? 0 : null));
      return;
    }
    const framing: OutgoingFraming = body.length ?? 'chunked';
    const head = requestHeadText(request, framing);
    if (body instanceof Http1Body && body.text !== undefined) {
      this.channel.write(head + framedText(body, body.text, framing === 'chunked'));
      return;
    }
    const writer = new BodyWriter(this.channel, body, framing === 'chunked', this);
    this.#writer = writer;
    if (request.headers.get('Expect')?.toLowerCase() === '100-continue') {
      this.channel.write(head);
      this.#held = writer;
      this.#deadline.set(this.#pool.clock.now() + CONTINUE_WAIT_MS);
    } else {
      writer.start(head);
    }
  }

  #letBodyGo(): void {
    const writer = this.#held;
    if (writer === undefined) return;
    this.#held = undefined;
    const { responseHeaderTimeoutMs, clock } = this.#pool;
    if (responseHeaderTimeoutMs > 0) this.#deadline.set(clock.now() + responseHeaderTimeoutMs);
    else this.#deadline.clear();
    writer.start('');
  }

  onBodySent(): void {
    this.#writer = undefined;
  }

  onBodyFailed(error: unknown): void {
    this.#writer = undefined;
    this.#fail(error);
  }

  onWritten(): void {
    this.#writer?.onWritten();
  }

  onBytes(buffer: Buffer, length: number): boolean {
    const body = this.#body;
    if (body !== undefined) return this.#receiveBody(body, buffer, length);
    if (this.#request === undefined) {
      // Nobody asked: whatever it is, it must not become the answer to the next request.
      this.#lose(undefined);
      return false;
    }
    this.#answered = true;
    return this.#readHead(latin1(buffer, 0, length));
  }

  #readHead(piece: string): boolean {
    const reader = this.#head;
    let text = piece;
    while (reader.add(text)) {
      const head = parseResponseHead(reader.text, reader.end, this.#pool.limits);
      if (head.reason !== undefined) return this.#malformed(head.reason);
      const rest = reader.text.slice(reader.end);
      reader.text = '';
      if (head.status >= 200) return this.#begin(head, rest);
      if (head.status === 101) return this.#switch(head, rest);
      if (++this.#interims > MAX_INTERIMS) return this.#malformed('too many interim answers');
      this.#interim(head);
      if (rest === '') return true;
      text = rest;
    }
    return reader.refusal === undefined ? true : this.#malformed(reader.refusal.reason);
  }

  #malformed(reason: string): false {
    this.#fail(new UpstreamError('upstream.malformed', `The server's answer is malformed: ${reason}`));
    return false;
  }

  #interim({ status, fields }: ResponseHead): void {
    const request = this.#request!;
    if (status !== 100 || !request.headers.has('Expect')) request.interim?.(status, new HeaderList(fields.raw));
    // The client's own expectation is met when its body is opened.
    else this.#letBodyGo();
  }

  #begin(head: ResponseHead, rest: string): boolean {
    const { status, fields, minor } = head;
    const request = this.#request!;
    this.#deadline.clear();
    if (fields.close || (minor === 0 && !fields.keepAlive)) this.#keepAlive = false;
    const framing = framingOf(request.method, head);
    let body: Http1Body | undefined;
    let used = 0;
    if (framing !== undefined) {
      body = new Http1Body(framing, this, this.#pool.limits);
      if (rest !== '') used = body.begin(rest);
      if (used === -1) return this.#malformed('bad chunk');
      if (framing === 'close') this.#keepAlive = false;
    }
    // Bytes behind the answer: the server and we do not agree where it ends.
    if (used < rest.length) this.#keepAlive = false;
    const response: ProxyResponse = { status, headers: new HeaderList(fields.raw), body, tunnel: undefined };
    const resolve = this.#resolve!;
    this.#resolve = this.#reject = undefined;
    if (body === undefined || body.complete) {
      this.#finish();
      resolve(response);
      return true;
    }
    this.#body = body;
    this.channel.keepBytes(
      framing === 'close' || framing === 'chunked' ? rest.length >= STREAM_BYTES / 2 : framing!.length - rest.length > STREAM_BYTES,
    );
    resolve(response);
    return false;
  }

  #switch({ fields }: ResponseHead, rest: string): boolean {
    if (this.#request!.upgrade === undefined) return this.#malformed('101 that nobody asked for');
    const resolve = this.#resolve!;
    const tunnel: Tunnel = { channel: this.channel, early: rest === '' ? undefined : Buffer.from(rest, 'latin1') };
    this.#end();
    this.#pool.forget(this);
    resolve({ status: 101, headers: new HeaderList(fields.raw), body: undefined, tunnel });
    return false;
  }

  #receiveBody(body: Http1Body, buffer: Buffer, length: number): boolean {
    const used = body.receive(buffer, 0, length);
    if (used === -1) return this.#malformed('bad chunk');
    if (!body.complete) return body.wanted;
    if (used < length) this.#keepAlive = false;
    this.channel.letBytesGo(body.wanted);
    this.#body = undefined;
    this.#finish();
    return true;
  }

  onBodyOpened(): void {}

  onBodyWanted(): void {
    this.channel.resume();
  }

  /** The rest of the answer may be endless: a new connection costs less. */
  onBodyAbandoned(): void {
    this.channel.destroy();
  }

  /** The answer is complete. */
  #finish(): void {
    // A request that is still being sent has no use any more, and nobody could tell its rest from the next request.
    const sent = this.#writer === undefined;
    this.#end();
    if (this.#keepAlive && sent && !this.channel.ended && !this.channel.closed) this.#pool.release(this);
    else this.channel.destroy();
  }

  #end(): void {
    this.#deadline.clear();
    this.#request?.cancellation.remove(this.#onCancel);
    this.#writer?.stop();
    this.#writer = this.#held = undefined;
    this.#request = undefined;
    this.#resolve = this.#reject = undefined;
    this.#head.reset();
  }

  #fail(error: unknown): void {
    const reject = this.#reject;
    const body = this.#body;
    this.#body = undefined;
    this.#end();
    this.channel.destroy();
    reject?.(error);
    body?.fail(error as Error);
  }

  #onDeadline(): void {
    if (this.#held !== undefined) this.#letBodyGo();
    else
      this.#fail(
        new UpstreamError('upstream.timeout', `The server sent no head of an answer within ${this.#pool.responseHeaderTimeoutMs} ms`),
      );
  }

  onEnd(): void {
    const body = this.#body;
    if (body?.receiveEnd()) {
      this.#body = undefined;
      this.#finish();
    } else {
      this.#lose(undefined);
    }
  }

  onClose(error: Error | undefined): void {
    this.#lose(error);
    this.#deadline.dispose();
    this.#pool.forget(this);
  }

  /** The server is gone. */
  #lose(cause: Error | undefined): void {
    const request = this.#request;
    if (request === undefined) {
      this.#pool.forget(this);
      this.channel.destroy();
      return;
    }
    if (this.#body !== undefined) {
      this.#fail(new UpstreamError('upstream.closed', 'The server closed the connection before its body was complete', { cause }));
    } else if (this.#answered) {
      this.#malformed('cut short');
    } else if (this.#exchanges > 1 && isReplayable(request) && isRepeatable(request.body)) {
      const resolve = this.#resolve!;
      this.#end();
      this.channel.destroy();
      resolve(this.#pool.sendFresh(request));
    } else {
      this.#fail(toUpstreamError(cause, true));
    }
  }
}

const isRepeatable = (body: ProxyRequest['body']): boolean => body === undefined || (body instanceof Http1Body && body.text !== undefined);

const NEEDS_LENGTH = /^(?:POST|PUT|PATCH)$/;

/** RFC 9112 §6.3; undefined for no body at all. */
export function framingOf(method: string, { status, fields }: ResponseHead): Framing | undefined {
  if (method === 'HEAD' || status === 204 || status === 304 || fields.contentLength === 0) return undefined;
  if (fields.chunked) return 'chunked';
  return fields.contentLength > 0 ? { length: fields.contentLength } : 'close';
}
