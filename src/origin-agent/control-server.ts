import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { notFound } from './api/answers.ts';
import { INTERNAL_SERVICE } from './internal-services.ts';

export interface ControlServer {
  close(): Promise<void>;
}

/** Answers of the control thread by internal service (`api`, `dashboard`, `prometheus` …). */
export type ControlServices = Readonly<Record<string, (request: Request) => Response | Promise<Response>>>;

/** Answers for the control thread on a Unix socket in a folder of its own; data threads bring the requests of `…@internal` services. */
export async function startControlServer({ socket, services }: { socket: string; services: ControlServices }): Promise<ControlServer> {
  const app = new Hono();
  app.all('*', ({ req }) => services[req.header(INTERNAL_SERVICE) ?? '']?.(req.raw) ?? notFound());
  const server = createServer(getRequestListener(app.fetch));
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
