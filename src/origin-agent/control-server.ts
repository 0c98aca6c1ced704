import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type ApiOptions, createApi } from './api.ts';

export interface ControlServer {
  close(): Promise<void>;
}

/** Answers for the control thread on a Unix socket in a folder of its own; data threads bring the requests of `…@internal` services. */
export async function startControlServer({ socket, ...options }: ApiOptions & { socket: string }): Promise<ControlServer> {
  const server = createServer(getRequestListener(createApi(options).fetch));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
