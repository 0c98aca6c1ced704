import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { runEdgeway } from '../support/run-edgeway.ts';
import { freePort } from '../support/servers.ts';

let server: Server | undefined;
afterEach(() => void server?.close());

/** A program that answers so at /ping; its port. */
const listen = (status: number): Promise<number> =>
  new Promise((resolve) => {
    server = createServer((request, response) => response.writeHead(request.url === '/ping' ? status : 404).end());
    server.listen(0, '127.0.0.1', () => resolve((server!.address() as { port: number }).port));
  });
const healthcheck = (...flags: string[]) => runEdgeway(['healthcheck', ...flags], { cwd: tmpdir() });
const at = (port: number): string[] => ['--ping', `--entryPoints.traefik.address=127.0.0.1:${port}`];

it('says that an agent is well, and ends then', async () => {
  const port = await listen(200);
  const start = performance.now();
  expect(await healthcheck(...at(port))).toEqual({ code: 0, stdout: `OK: http://127.0.0.1:${port}/ping\n`, stderr: '' });
  // A kept connection would hold it for the five seconds after which the server closes it.
  expect(performance.now() - start).toBeLessThan(4_000);
});

it.each([
  ['answers otherwise', () => listen(503), 'Bad healthcheck status: 503'],
  ['does not answer', freePort, 'Bad healthcheck status: 0'],
])('says when it %s', async (_, open, said) => {
  expect(await healthcheck(...at(await open()))).toMatchObject({ code: 1, stdout: `${said}\n` });
});

it('says what is missing', async () => {
  expect(await healthcheck('--entryPoints.web.address=:80')).toMatchObject({ code: 1, stderr: expect.stringContaining('give --ping') });
});
