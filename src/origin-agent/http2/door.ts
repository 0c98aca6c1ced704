import type { Duplex } from 'node:stream';
import type { Peer } from '../http1/settings.ts';
import type { Live } from '../tcp/serve.ts';
import type { Http2Settings } from './settings.ts';

/** Node's HTTP/2 costs memory and time to load: an agent whose clients speak HTTP/1.1 never does. */
let loading: Promise<typeof import('./connection.ts')> | undefined;

/**
 * Speaks HTTP/2 on a socket that nobody reads; `first` was read from it already. `onOver` is called once, when the connection is gone.
 */
export function serveHttp2(socket: Duplex, settings: Http2Settings, peer: Peer, first: Buffer | undefined, onOver: () => void): Live {
  let connection: Live | undefined;
  let draining = false;
  const onEarlyEnd = (): void => onOver();
  socket.on('error', ignore);
  socket.once('close', onEarlyEnd);
  loading ??= import('./connection.ts');
  void loading.then(({ Http2Connection }) => {
    if (socket.destroyed) return;
    socket.off('close', onEarlyEnd);
    // It makes the socket read on, so that who takes what is read must come in the same turn.
    if (first !== undefined) socket.unshift(first);
    connection = new Http2Connection(socket, settings, peer, onOver);
    if (draining) connection.drain();
  });
  function drain(): void {
    draining = true;
    connection?.drain();
  }
  return {
    // GOAWAY says which requests were taken: the others are sent again elsewhere.
    leave: drain,
    drain,
    destroy: () => void (connection ?? socket).destroy(),
  };
}

const ignore = (): void => {};
