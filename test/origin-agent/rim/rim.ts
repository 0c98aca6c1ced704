import { onTestFinished } from 'vitest';
import { encodeText } from '../../../src/base/bytes.ts';
import type { Handler, ProxyRequest } from '../../../src/base/message.ts';
import type { Platform } from '../../../src/proxy/platform.ts';
import { connectRaw, listenRaw, type RawConnection } from '../../support/raw-connection.ts';

/** A rim: a server that feeds the handler, and a sender. */
export interface Rim {
  listen(handler: Handler): Promise<{ port: number; close: () => void }>;
  sender(): { send: Platform['send']; close: () => void };
}

/** What tests make of a rim; all of it goes with the test. */
export interface RimUnderTest {
  /** A client of a server with this handler. */
  talk(handler: Handler): Promise<RawConnection>;
  sender(): Platform['send'];
  /** A server to send to. */
  upstream(): ReturnType<typeof listenRaw>;
}

const keep = <T extends { close: () => void }>(thing: T): T => {
  onTestFinished(() => thing.close());
  return thing;
};

export const underTest = (rim: Rim): RimUnderTest => ({
  talk: async (handler) => keep(await connectRaw(keep(await rim.listen(handler)).port)),
  sender: () => keep(rim.sender()).send,
  upstream: async () => keep(await listenRaw()),
});

export const textOf = async (body: ProxyRequest['body']): Promise<string> =>
  body === undefined ? '' : new TextDecoder('latin1').decode(await body.bytes(1e6));

export async function* chunksOf(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield encodeText(chunk);
}
