import { ClientError, UpstreamError } from '../../base/errors.ts';
import type { HeaderList, ProxyRequest, ProxyResponse } from '../../base/message.ts';
import { Deadline } from '../deadline.ts';
import { joinTunnel, type Tunnel } from '../rim/tunnel.ts';
import type { Channel, ChannelOwner } from '../sockets/channel.ts';
import { latin1 } from '../sockets/latin1.ts';
import { bodyFraming, bodylessFraming, expectationFailedText, failureText, isBodyless, refusalText } from './answer.ts';
import { BodyWriter, framedText } from './body-writer.ts';
import type { Refusal } from './fields.ts';
import { parseRequestHead, type RequestHead } from './head.ts';
import { HeadReader } from './head-reader.ts';
import { httpDate, interimHeadText, responseHeadText } from './head-text.ts';
import { type BodySource, Http1Body } from './incoming-body.ts';
import { requestRecord } from './request-record.ts';
import type { Http1Settings, Peer } from './settings.ts';

/** The first bytes of a client that knows that HTTP/2 is spoken here (RFC 9113 §3.3), as far as they look like a head. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\n';

/** Pipelined requests wait as text; beyond this the client waits. */
const MAX_PIPELINE_BYTES = 65_536;
/** A body that nobody wants is read to its end up to this size, so that the connection can be kept (Go's limit). */
const MAX_DRAIN_BYTES = 262_144;
/** How long a closing connection still takes bytes, so that a reset does not overtake the answer. */
const LINGER_MS = 500;
/** First byte of a TLS record that holds a ClientHello. */
const TLS_HANDSHAKE = 0x16;

/** Waits for a head. */
const READING = 0;
/** The handler has the request. */
const BUSY = 1;
/** The answer is on its way. */
const ANSWERING = 2;
/** The answer has left, the body of its request is still coming and thrown away. */
const DRAINING = 3;
/** Nothing is taken any more; waits for the client to close. */
const CLOSING = 4;
/** Closed or handed to a tunnel. */
const OVER = 5;

/**
 * One client's connection: reads requests one after the other, gives each to the handler as a record, writes its answer.
 * Pipelined requests are answered in order, each begun when the one before is answered.
 */
export class Http1Connection implements ChannelOwner, BodySource {
  readonly channel: Channel;
  readonly #settings: Http1Settings;
  readonly #peer: Peer;
  readonly #head: HeadReader;
  readonly #deadline: Deadline;
  #writeDeadline: Deadline | undefined;
  readonly #since: number;
  #phase = READING;
  #draining = false;
  #requests = 0;
  #request: ProxyRequest | undefined;
  #minor: 0 | 1 = 1;
  /** The client sent `Expect: 100-continue` and has no answer to that yet. */
  #expects = false;
  #keepAlive = true;
  /** The body of the current request, while it is coming. */
  #body: Http1Body | undefined;
  #writer: BodyWriter | undefined;
  #status = 0;
  #sentBytes = 0;
  /** Requests that came too early (pipelining), latin1. */
  #waiting = '';
  readonly #onResponse = (response: ProxyResponse): void => this.#answer(response);
  readonly #onError = (error: unknown): void => this.#answerError(error);
  readonly #onInterim = (status: number, headers: HeaderList): void => this.#interim(status, headers);

  /** Takes the channel over and begins to read. `first` is what was read from it already (peeked), as latin1. */
  constructor(channel: Channel, settings: Http1Settings, peer: Peer, first = '') {
    this.channel = channel;
    this.#settings = settings;
    this.#peer = peer;
    this.#head = new HeadReader(settings.limits.maxHeaderBytes);
    this.#deadline = new Deadline(settings.clock, () => this.#onDeadline());
    this.#since = settings.clock.now();
    channel.owner = this;
    this.#deadline.limit(settings.limits.readTimeoutMs, this.#since);
    if (first === '' || this.#readHead(first)) channel.resume();
  }

  /** Nothing of a request is here. */
  get idle(): boolean {
    return this.#phase === READING && this.#head.empty;
  }

  /** The next answer is the last. */
  leave(): void {
    this.#draining = true;
  }

  /** Takes no request after the one in work; an idle connection closes at once. */
  drain(): void {
    this.leave();
    if (this.idle) this.#closeGently();
  }

  onBytes(buffer: Buffer, length: number): boolean {
    if (this.#body !== undefined) return this.#receiveBody(this.#body, buffer, length);
    if (this.#phase === READING) return this.#readHead(latin1(buffer, 0, length));
    if (this.#phase >= CLOSING) return true;
    this.#waiting += latin1(buffer, 0, length);
    return this.#waiting.length < MAX_PIPELINE_BYTES;
  }

  /** Says whether to read on. */
  #readHead(text: string): boolean {
    const reader = this.#head;
    const begun = !reader.empty;
    // Who speaks TLS here does not read an answer in plain text.
    if (!begun && this.#requests === 0 && text.charCodeAt(0) === TLS_HANDSHAKE) return this.#refuseWith('');
    if (!reader.add(text)) {
      if (reader.refusal !== undefined) return this.#refuse(reader.refusal);
      if (!begun && this.#requests > 0) this.#deadline.limit(this.#settings.limits.readTimeoutMs, this.#settings.clock.now());
      return true;
    }
    const head = parseRequestHead(reader.text, reader.end, this.#settings.limits);
    if (head.reason !== undefined) return this.#handOver(reader.text) ? false : this.#refuse(head);
    const rest = reader.text.length > reader.end ? reader.text.slice(reader.end) : '';
    reader.text = '';
    return this.#begin(head, rest);
  }

  /** True when the client speaks HTTP/2 and the connection goes to whoever does too. */
  #handOver(text: string): boolean {
    const { onHttp2, onOver } = this.#settings;
    if (onHttp2 === undefined || this.#requests > 0 || this.#peer.tls !== undefined || !text.startsWith(PREFACE)) return false;
    this.#phase = OVER;
    this.#deadline.dispose();
    // A handle changes hands outside of its reads alone.
    queueMicrotask(() => {
      const socket = this.channel.release();
      if (socket !== undefined) onHttp2(socket, this.#peer, Buffer.from(text, 'latin1'));
      onOver?.(this);
    });
    return true;
  }

  #begin(head: RequestHead, rest: string): boolean {
    const { fields, minor } = head;
    const now = this.#settings.clock.now();
    this.#minor = minor;
    this.#keepAlive = !fields.close && (minor === 1 || fields.keepAlive);
    this.#expects = false;
    if (fields.expect !== undefined && minor === 1) {
      if (fields.expect.toLowerCase() !== '100-continue') return this.#refuseWith(expectationFailedText(httpDate(now)));
      this.#expects = true;
    }
    let body: Http1Body | undefined;
    this.#waiting = rest;
    if (fields.chunked || fields.contentLength > 0) {
      body = new Http1Body(fields.chunked ? 'chunked' : { length: fields.contentLength }, this, this.#settings.limits);
      const used = rest === '' ? 0 : body.begin(rest);
      if (used === -1) return this.#refuse(BROKEN_BODY);
      this.#waiting = rest.slice(used);
      if (!body.complete) {
        this.#body = body;
        this.channel.keepBytes(false);
      }
    }
    if (this.#body === undefined) this.#deadline.clear();
    else this.#deadline.limit(this.#settings.limits.readTimeoutMs, now);
    this.#startWriteTimeout(now);
    this.#phase = BUSY;
    this.#requests++;
    const request = requestRecord(head, body, this.#peer, this.#settings.entryPoint, minor === 1 ? this.#onInterim : undefined, now);
    this.#request = request;
    try {
      this.#settings.handler(request).then(this.#onResponse, this.#onError);
    } catch (error) {
      this.#answerError(error);
    }
    // The body waits until somebody opens it; without one, reading on tells when the client goes away.
    return this.#body === undefined && this.#waiting.length < MAX_PIPELINE_BYTES;
  }

  // The request's body

  #receiveBody(body: Http1Body, buffer: Buffer, length: number): boolean {
    const used = body.receive(buffer, 0, length);
    if (used === -1) return this.#breakBody(body, new ClientError('client.malformed', 400, 'The body is not framed as its head says'));
    if (body.complete) {
      this.#body = undefined;
      this.#deadline.clear();
      this.channel.letBytesGo(body.wanted);
      this.#waiting += latin1(buffer, used, length);
      if (this.#phase === DRAINING) this.#next();
      return this.#waiting.length < MAX_PIPELINE_BYTES;
    }
    if (!body.abandoned || body.received <= MAX_DRAIN_BYTES) return body.wanted;
    this.#keepAlive = false;
    if (this.#phase !== DRAINING) return false;
    this.#closeGently();
    return true;
  }

  #breakBody(body: Http1Body, error: ClientError): false {
    this.#keepAlive = false;
    this.#body = undefined;
    this.#deadline.clear();
    body.fail(error);
    if (this.#phase === DRAINING) this.#closeGently();
    return false;
  }

  onBodyOpened(): void {
    if (!this.#expects || this.#phase !== BUSY) return;
    this.#expects = false;
    this.channel.write(CONTINUE);
  }

  onBodyWanted(): void {
    this.channel.resume();
  }

  onBodyAbandoned(): void {
    const body = this.#body;
    // A client that waits for 100 may send the body or not: nobody could tell what comes next.
    if (this.#expects || body === undefined || (body.length ?? 0) - body.received > MAX_DRAIN_BYTES) this.#keepAlive = false;
    this.channel.resume();
  }

  // The answer

  #interim(status: number, headers: HeaderList): void {
    if (this.#phase !== BUSY) return;
    if (status === 100) this.#expects = false;
    this.channel.write(interimHeadText(status, headers));
  }

  #answer(response: ProxyResponse): void {
    const request = this.#request;
    if (this.#phase !== BUSY || request === undefined) {
      response.body?.discard();
      (response.tunnel as Tunnel | undefined)?.channel.destroy();
      return;
    }
    if (response.tunnel !== undefined) this.#joinTunnel(response);
    else this.#write(request, response);
  }

  #write(request: ProxyRequest, response: ProxyResponse): void {
    const { status, headers } = response;
    const minor = this.#minor;
    if (this.#body !== undefined && !this.#body.opened) this.#body.discard();
    const bodyless = isBodyless(request, status);
    const framing = bodyless ? bodylessFraming(request, response) : bodyFraming(response, minor);
    if (framing === null && !bodyless) this.#keepAlive = false;
    const close = this.#mustClose(headers);
    // Without a word HTTP/1.1 keeps a connection and HTTP/1.0 closes it.
    const connection = minor === 1 ? (close ? 'close' : '') : close ? '' : 'keep-alive';
    const date = httpDate(this.#settings.clock.now());
    const head = responseHeadText(status, headers, { version: minor === 1 ? '1.1' : '1.0', framing, connection, date });
    this.#phase = ANSWERING;
    this.#status = status;
    if (bodyless) response.body?.discard();
    this.#writeBody(head, bodyless ? undefined : response.body, framing === 'chunked');
  }

  #mustClose(headers: HeaderList): boolean {
    const { keepAliveMaxRequests, keepAliveMaxTimeMs } = this.#settings.limits;
    if (keepAliveMaxRequests > 0 && this.#requests >= keepAliveMaxRequests) this.#keepAlive = false;
    if (keepAliveMaxTimeMs > 0 && this.#settings.clock.now() - this.#since >= keepAliveMaxTimeMs) this.#keepAlive = false;
    if (this.#draining || this.channel.ended || headers.get('Connection')?.toLowerCase() === 'close') this.#keepAlive = false;
    return !this.#keepAlive;
  }

  #writeBody(head: string, body: ProxyResponse['body'], chunked: boolean): void {
    if (body === undefined) {
      this.channel.write(head);
      this.onBodySent();
    } else if (body instanceof Http1Body && body.text !== undefined) {
      this.#sentBytes = body.text.length;
      this.channel.write(head + framedText(body, body.text, chunked));
      this.onBodySent();
    } else {
      this.#writer = new BodyWriter(this.channel, body, chunked, this);
      this.#writer.start(head);
    }
  }

  onBodySent(): void {
    if (this.#writer !== undefined) this.#sentBytes = this.#writer.sent;
    this.#writer = undefined;
    if (this.channel.flushed) this.#finish();
  }

  onBodyFailed(error: unknown): void {
    this.#settings.log.debug('The answer was cut short', { entryPointName: this.#settings.entryPoint, error });
    // An end without the last chunk or byte is how the client learns of it.
    this.channel.destroy();
  }

  onWritten(): void {
    if (this.#writer !== undefined) this.#writer.onWritten();
    else if (this.#phase === ANSWERING) this.#finish();
  }

  #answerError(error: unknown): void {
    const status = error instanceof ClientError ? error.status : 500;
    if (!(error instanceof ClientError))
      this.#settings.log.error('The handler failed', { entryPointName: this.#settings.entryPoint, error });
    if (this.#phase !== BUSY) return;
    this.#keepAlive = false;
    if (this.#body !== undefined && !this.#body.opened) this.#body.discard();
    this.#phase = ANSWERING;
    this.#status = status;
    this.channel.write(failureText(status, this.#minor, httpDate(this.#settings.clock.now())));
    this.onBodySent();
  }

  /** The answer has left. */
  #finish(): void {
    this.#tellOutcome(true);
    this.#writeDeadline?.clear();
    const body = this.#body;
    // Whoever still reads the body (a server that answered early) gets no more of it.
    if (body !== undefined && !body.abandoned) body.discard();
    if (!this.#keepAlive) this.#closeGently();
    else if (this.#body !== undefined) this.#phase = DRAINING;
    else this.#next();
  }

  #tellOutcome(complete: boolean): void {
    const request = this.#request;
    if (request === undefined) return;
    this.#request = undefined;
    this.#settings.onOutcome?.(request, { status: this.#status, sentBytes: this.#writer?.sent ?? this.#sentBytes, complete });
    this.#sentBytes = 0;
  }

  #next(): void {
    this.#phase = READING;
    if (this.channel.ended) {
      this.#closeGently();
      return;
    }
    this.#deadline.limit(this.#settings.limits.idleTimeoutMs, this.#settings.clock.now());
    const text = this.#waiting;
    this.#waiting = '';
    if (text === '' || this.#readHead(text)) this.channel.resume();
  }

  #joinTunnel(response: ProxyResponse): void {
    const tunnel = response.tunnel as Tunnel;
    if (this.#body !== undefined) {
      // The rest of the body would be taken for bytes of the new protocol.
      tunnel.channel.destroy();
      this.channel.destroy();
      return;
    }
    this.#phase = OVER;
    this.#status = response.status;
    this.#deadline.dispose();
    this.#writeDeadline?.dispose();
    this.channel.write(interimHeadText(response.status, response.headers));
    const early = this.#waiting === '' ? undefined : Buffer.from(this.#waiting, 'latin1');
    joinTunnel({ channel: this.channel, early }, tunnel, (sentBytes) => {
      this.#sentBytes = sentBytes;
      this.#tellOutcome(true);
    });
    this.#settings.onOver?.(this);
  }

  // Refusals, limits, the end

  /** Returns true: what else comes is read and thrown away. */
  #refuse(refusal: Refusal): true {
    const { reason } = refusal;
    this.#settings.log.debug('Refused a malformed request', {
      entryPointName: this.#settings.entryPoint,
      reason,
      clientHost: this.#peer.address,
    });
    return this.#refuseWith(refusalText(refusal));
  }

  #refuseWith(text: string): true {
    this.channel.write(text);
    this.#closeGently();
    return true;
  }

  #closeGently(): void {
    this.#phase = CLOSING;
    this.#waiting = '';
    this.#deadline.set(this.#settings.clock.now() + LINGER_MS);
    this.channel.end();
    this.channel.resume();
  }

  #startWriteTimeout(now: number): void {
    const { writeTimeoutMs } = this.#settings.limits;
    if (writeTimeoutMs === 0) return;
    this.#writeDeadline ??= new Deadline(this.#settings.clock, () => this.channel.destroy());
    this.#writeDeadline.set(now + writeTimeoutMs);
  }

  #onDeadline(): void {
    const body = this.#body;
    if (body !== undefined && this.#phase < DRAINING) {
      this.#breakBody(body, new ClientError('client.timeout', 408, 'The body of the request did not come in time'));
    } else {
      this.channel.destroy();
    }
  }

  onEnd(): void {
    if (this.#phase === READING || this.#phase === CLOSING) {
      // An answer that still waits to leave does leave; the end of both sides then closes the connection.
      this.channel.end();
    } else if (this.#phase !== ANSWERING || this.#writer !== undefined || this.#body !== undefined) {
      // As in Go and nginx, a client that ends its side while its answer is being made is gone.
      this.channel.destroy();
    }
  }

  onClose(): void {
    this.#phase = OVER;
    this.#deadline.dispose();
    this.#writeDeadline?.dispose();
    const { cancellation } = this.#request ?? {};
    this.#tellOutcome(false);
    this.#body?.fail(new UpstreamError('upstream.aborted', 'The client went away before its body was complete'));
    this.#body = undefined;
    this.#writer?.stop();
    this.#writer = undefined;
    cancellation?.cancel();
    this.#settings.onOver?.(this);
  }
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const BROKEN_BODY: Refusal = { status: 400, detail: '', reason: 'bad chunk' };
