import { constants, type ServerHttp2Stream } from 'node:http2';
import { ClientError, UpstreamError } from '../../base/errors.ts';
import { Cancellation, createFacts, type HeaderList, type ProxyRequest, type ProxyResponse } from '../../base/message.ts';
import { statusText } from '../../base/status-text.ts';
import { Deadline } from '../deadline.ts';
import { isBodyless } from '../http1/answer.ts';
import { httpDate } from '../http1/head-text.ts';
import type { Peer } from '../http1/settings.ts';
import { joinTunnel, type Tunnel } from '../rim/tunnel.ts';
import { Channel, nobody } from '../sockets/channel.ts';
import { Http2Body } from './body.ts';
import { BodyWriter, mayHaveTrailers } from './body-writer.ts';
import { appendFields, fieldsObject } from './fields.ts';
import { type RequestSection, readRequestSection } from './request.ts';
import { breakStream } from './reset.ts';
import type { Http2Settings } from './settings.ts';
import { addHandshake, isAccepted } from './websocket.ts';

/** A body that nobody wants is taken so long after its answer; then the stream is reset. */
const LINGER_MS = 500;

export interface ExchangeOwner {
  /** The answer begins: the moment to say that the connection takes no further request. */
  answering(): void;
  /** The stream is gone. `reset` when its peer gave it up. */
  onOver(reset: boolean): void;
}

/** One request of a client's HTTP/2 connection and its answer. */
export class Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly #settings: Http2Settings;
  readonly #owner: ExchangeOwner;
  #request: ProxyRequest | undefined;
  #body: Http2Body | undefined;
  #writer: BodyWriter | undefined;
  #readDeadline: Deadline | undefined;
  #writeDeadline: Deadline | undefined;
  #status = 0;
  #tunnelled = false;
  /** Key of the WebSocket handshake, where the client asked for one. */
  #webSocketKey: string | undefined;
  #weReset = false;

  constructor(stream: ServerHttp2Stream, settings: Http2Settings, owner: ExchangeOwner) {
    this.#stream = stream;
    this.#settings = settings;
    this.#owner = owner;
    stream.on('error', (error) => settings.log.debug('A stream failed', { entryPointName: settings.entryPoint, error: error.message }));
    stream.on('aborted', () => this.#request?.cancellation.cancel());
    stream.on('close', () => this.#onClose());
  }

  /** `raw` is the header section. */
  begin(raw: readonly string[], ended: boolean, peer: Peer): void {
    const { clock, limits, handler } = this.#settings;
    const section = readRequestSection(raw, limits.maxTargetBytes);
    if (typeof section === 'number') return this.#refuse(section);
    if (section.protocol !== undefined && section.protocol !== 'websocket') return this.#refuse(501);
    const now = clock.now();
    if (!ended && section.protocol === undefined) this.#receive(section, now);
    if (section.protocol !== undefined) this.#webSocketKey = addHandshake(section.headers);
    if (limits.writeTimeoutMs > 0) {
      this.#writeDeadline = new Deadline(clock, () => this.#break(new Error('The answer did not leave in time')));
      this.#writeDeadline.set(now + limits.writeTimeoutMs);
    }
    this.#request = this.#record(section, peer, now);
    try {
      handler(this.#request).then(
        (response) => this.#answer(response),
        (error) => this.#answerError(error),
      );
    } catch (error) {
      this.#answerError(error);
    }
  }

  #record(section: RequestSection, peer: Peer, now: number): ProxyRequest {
    return {
      method: section.protocol === undefined ? section.method : 'GET',
      path: section.path,
      query: section.query,
      host: section.host,
      protocol: 'HTTP/2.0',
      scheme: peer.scheme,
      headers: section.headers,
      body: this.#body,
      clientAddress: peer.address,
      clientPort: peer.port,
      tls: peer.tls,
      entryPoint: this.#settings.entryPoint,
      upgrade: section.protocol,
      cancellation: new Cancellation(),
      interim: (status, headers) => this.#interim(status, headers),
      facts: createFacts(now),
    };
  }

  #receive({ contentLength, expectsContinue }: RequestSection, now: number): void {
    const { clock, limits } = this.#settings;
    const stream = this.#stream;
    const body = new Http2Body(stream, {
      length: contentLength,
      failure: () => new UpstreamError('upstream.aborted', 'The client went away before its body was complete'),
      ...(expectsContinue && { onOpened: () => this.#interim(100, undefined) }),
      onDiscarded: () => stream.resume(),
      onComplete: () => this.#readDeadline?.clear(),
    });
    this.#body = body;
    if (limits.readTimeoutMs === 0) return;
    this.#readDeadline = new Deadline(clock, () =>
      body.fail(new ClientError('client.timeout', 408, 'The body of the request did not come in time')),
    );
    this.#readDeadline.set(now + limits.readTimeoutMs);
  }

  #interim(status: number, headers: HeaderList | undefined): void {
    const stream = this.#stream;
    if (stream.headersSent || stream.destroyed || stream.closed || status === 101) return;
    try {
      stream.additionalHeaders({ ':status': status, ...(headers && fieldsObject(headers)) });
    } catch (error) {
      this.#settings.log.debug('An interim answer cannot be sent by HTTP/2', { entryPointName: this.#settings.entryPoint, error });
    }
  }

  // The answer

  #answer(response: ProxyResponse): void {
    if (this.#stream.destroyed || this.#stream.closed) {
      response.body?.discard();
      (response.tunnel as Tunnel | undefined)?.channel.destroy();
    } else if (this.#webSocketKey !== undefined) this.#answerHandshake(response, this.#webSocketKey);
    else this.#write(response);
  }

  /** A stream of WebSocket is a 200 here, so no other success may look like one. */
  #answerHandshake(response: ProxyResponse, key: string): void {
    const tunnel = response.tunnel as Tunnel | undefined;
    if (tunnel === undefined && (response.status < 200 || response.status > 299)) return this.#write(response);
    response.body?.discard();
    if (tunnel === undefined || !isAccepted(response, key)) {
      tunnel?.channel.destroy();
      return this.#refuse(502);
    }
    response.headers.delete('Sec-WebSocket-Accept');
    if (!this.#respond({ status: 200, headers: response.headers, body: undefined }, false)) {
      tunnel.channel.destroy();
      return this.#break(new Error('The head of the answer cannot be sent'));
    }
    this.#tunnelled = true;
    joinTunnel({ channel: Channel.over(this.#stream, nobody) }, tunnel, (sentBytes) => this.#tell(sentBytes));
  }

  #write(response: ProxyResponse): void {
    const { status, body } = response;
    this.#owner.answering();
    // 205 has no body either, as Node has it.
    const bodyless = body === undefined || isBodyless(this.#request!, status) || status === 205;
    if (!this.#respond(response, bodyless)) {
      body?.discard();
      this.#break(new Error('The head of the answer cannot be sent'));
    } else if (bodyless) body?.discard();
    else {
      this.#writer = new BodyWriter(this.#stream, body, this, mayHaveTrailers(body, response.headers));
      this.#writer.start();
    }
    this.#body?.discard();
    this.#stream.once('finish', () => this.#finish());
  }

  /** False when Node refuses the head. */
  #respond({ status, headers, body }: ProxyResponse, endStream: boolean): boolean {
    this.#status = status;
    const fields = [':status', String(status)];
    appendFields(fields, headers);
    const length = endStream ? announcedLength(status, headers, body?.length) : body?.length;
    if (length !== undefined) fields.push('content-length', String(length));
    if (!headers.has('Date')) fields.push('date', httpDate(this.#settings.clock.now()));
    try {
      this.#stream.respond(fields, { endStream, waitForTrailers: !endStream && body !== undefined && mayHaveTrailers(body, headers) });
      return true;
    } catch (error) {
      this.#settings.log.debug('The head of an answer cannot be sent by HTTP/2', { entryPointName: this.#settings.entryPoint, error });
      return false;
    }
  }

  #answerError(error: unknown): void {
    const { log, entryPoint } = this.#settings;
    if (!(error instanceof ClientError)) log.error('The handler failed', { entryPointName: entryPoint, error });
    this.#refuse(error instanceof ClientError ? error.status : 500);
  }

  /** An answer that this side makes because nobody else can: the phrase as body. */
  #refuse(status: number): void {
    const stream = this.#stream;
    if (stream.headersSent || stream.destroyed || stream.closed) return;
    this.#status = status;
    const text = statusText(status);
    const date = httpDate(this.#settings.clock.now());
    stream.respond({ ':status': status, 'content-type': 'text/plain; charset=utf-8', 'content-length': text.length, date });
    // What follows an answer to HEAD Node drops.
    if (stream.writable) stream.end(text);
    this.#body?.discard();
    stream.once('finish', () => this.#finish());
  }

  onBodyFailed(error: unknown): void {
    this.#settings.log.debug('The answer was cut short', { entryPointName: this.#settings.entryPoint, error });
    this.#break(error);
  }

  #break(error: unknown): void {
    this.#weReset = true;
    breakStream(this.#stream, error);
  }

  /** The answer has left. A client that still sends its body is given time to hear of it. */
  #finish(): void {
    const stream = this.#stream;
    if (stream.readableEnded || stream.destroyed) return;
    stream.resume();
    this.#settings.clock.after(LINGER_MS, () => {
      if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  #onClose(): void {
    this.#readDeadline?.dispose();
    this.#writeDeadline?.dispose();
    this.#writer?.stop();
    this.#owner.onOver(!this.#complete && !this.#weReset);
    // The tunnel, which hears of it next, has counted what it passed on.
    if (!this.#tunnelled) this.#tell(this.#writer?.sent ?? 0);
  }

  get #complete(): boolean {
    return this.#stream.headersSent && this.#stream.writableFinished && !this.#stream.aborted;
  }

  #tell(sentBytes: number): void {
    const request = this.#request;
    if (request === undefined) return;
    this.#request = undefined;
    this.#settings.onOutcome?.(request, { status: this.#status, sentBytes, complete: this.#complete });
    if (!this.#complete) request.cancellation.cancel();
  }
}

/** What an answer to HEAD says of the body that it does not have; of an empty body only what the server said. */
function announcedLength(status: number, headers: HeaderList, length: number | undefined): number | undefined {
  if (status === 204 || status === 205 || status === 304) return undefined;
  const announced = headers.get('Content-Length');
  return announced !== undefined && /^[0-9]{1,15}$/.test(announced) ? Number(announced) : length;
}
