import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A server that says who it is; runs in containers, so it imports nothing of ours. `PORT` (80), `STARTING_MS` until it listens,
 * `GRACE_MS` from SIGTERM until it stops listening. It answers what it has begun, then it ends.
 */
const { PORT = '80', STARTING_MS = '0', GRACE_MS = '0', ANSWER_MS = '0' } = process.env;
let healthy = true;

const server = createServer(async (request, response) => {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) bytes += chunk.length;
  const url = new URL(request.url!, 'http://whoami');
  if (url.pathname === '/health') {
    if (request.method === 'POST') healthy = url.searchParams.get('set') !== 'ill';
    return response.writeHead(healthy ? 200 : 503).end();
  }
  const waitMs = Number(url.searchParams.get('wait') ?? ANSWER_MS);
  if (waitMs > 0) await delay(waitMs);
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ hostname: hostname(), method: request.method, bytes }));
});
// Longer than any pool of a proxy keeps it: who closes an idle connection is not what is tested.
server.keepAliveTimeout = 120_000;

process.once('SIGTERM', async () => {
  await delay(Number(GRACE_MS));
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
await delay(Number(STARTING_MS));
server.listen(Number(PORT));
