import type { Channel, ChannelOwner } from '../sockets/channel.ts';

/** One side of an upgraded connection: `ProxyResponse.tunnel` of the agent's rims. */
export interface Tunnel {
  readonly channel: Channel;
  /** What came behind the head. */
  readonly early?: Uint8Array | undefined;
}

/**
 * Passes bytes between both sides with back-pressure until both have ended; half-close is passed on, an abort of one side aborts the
 * other. `onOver` hears once, when the client's side is closed, how many bytes went to the client.
 */
export function joinTunnel(client: Tunnel, server: Tunnel, onOver: (sentBytes: number) => void = () => {}): void {
  const up = new TunnelSide(client.channel, server.channel, () => onOver(down.bytes));
  const down = new TunnelSide(server.channel, client.channel, () => {});
  down.bytes = server.early?.length ?? 0;
  client.channel.owner = up;
  server.channel.owner = down;
  const clientMay = server.early === undefined || client.channel.write(server.early);
  const serverMay = client.early === undefined || server.channel.write(client.early);
  for (const { channel } of [client, server]) channel.keepBytes(false);
  begin(client.channel, server.channel, serverMay);
  begin(server.channel, client.channel, clientMay);
}

/** What happened to a side before the other one was there to hear of it is made up for. */
function begin(from: Channel, to: Channel, mayRead: boolean): void {
  if (from.closed) to.destroy();
  else if (from.ended) to.end();
  else if (mayRead) from.resume();
}

class TunnelSide implements ChannelOwner {
  /** Passed on so far. */
  bytes = 0;
  readonly #from: Channel;
  readonly #to: Channel;
  readonly #onClosed: () => void;

  constructor(from: Channel, to: Channel, onClosed: () => void) {
    this.#from = from;
    this.#to = to;
    this.#onClosed = onClosed;
  }

  onBytes(buffer: Buffer, length: number): boolean {
    this.bytes += length;
    return this.#to.write(buffer.subarray(0, length));
  }

  onWritten(): void {
    this.#to.resume();
  }

  onEnd(): void {
    this.#to.end();
  }

  onClose(): void {
    if (!this.#from.ended) this.#to.destroy();
    else this.#to.end();
    this.#onClosed();
  }
}
