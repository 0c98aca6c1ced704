import type { Clock } from '../../base/clock.ts';
import type { Channel, ChannelOwner } from '../sockets/channel.ts';

export interface PipeOptions {
  readonly clock: Clock;
  /** How long the other side may go on when one has ended; negative: for ever. */
  readonly terminationDelayMs: number;
  readonly onOver: () => void;
}

/** Passes bytes between two connections with back-pressure. The end of one side is passed on; what the other still sends has its time. */
export class Pipe {
  readonly #client: Channel;
  readonly #server: Channel;
  readonly #options: PipeOptions;
  #cancelEnd: (() => void) | undefined;
  #over = false;

  /** `early` came from the client already and is written first. */
  constructor(client: Channel, server: Channel, early: Uint8Array, options: PipeOptions) {
    this.#client = client;
    this.#server = server;
    this.#options = options;
    client.owner = this.#side(client, server);
    server.owner = this.#side(server, client);
    const mayRead = early.length === 0 || server.write(early);
    for (const channel of [client, server]) channel.keepBytes(false);
    if (client.closed || server.closed) {
      this.destroy();
      return;
    }
    if (client.ended) this.#ended(server);
    else if (mayRead) client.resume();
    if (server.ended) this.#ended(client);
    else server.resume();
  }

  #side(from: Channel, to: Channel): ChannelOwner {
    return {
      onBytes: (buffer, length) => to.write(buffer.subarray(0, length)),
      // `from` is empty again, so its source may go on.
      onWritten: () => to.resume(),
      onEnd: () => this.#ended(to),
      onClose: () => this.#closed(from, to),
    };
  }

  /** Nothing more is coming for `to`. */
  #ended(to: Channel): void {
    const { clock, terminationDelayMs } = this.#options;
    to.socket.end(() => {
      if (terminationDelayMs < 0 || this.#over) return;
      this.#cancelEnd?.();
      if (terminationDelayMs === 0) this.destroy();
      else this.#cancelEnd = clock.after(terminationDelayMs, () => this.destroy());
    });
  }

  #closed(from: Channel, to: Channel): void {
    if (!from.ended) to.destroy();
    else to.end();
    if (!to.closed || this.#over) return;
    this.#over = true;
    this.#cancelEnd?.();
    this.#options.onOver();
  }

  drain(): void {}

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
    if (this.#over || !this.#client.closed || !this.#server.closed) return;
    this.#over = true;
    this.#options.onOver();
  }
}
