import { createServer, request } from 'node:http';

/**
 * Stands for tecnativa/docker-socket-proxy: passes on what an environment variable of the first path segment allows, answers 403
 * else. Runs in a container, so it imports nothing of ours.
 */
createServer((incoming, outgoing) => {
  const section = /^(?:\/v[\d.]+)?\/_?(\w+)/.exec(incoming.url!)?.[1] ?? '';
  const isAllowed = process.env[section.toUpperCase()] === '1' && (incoming.method === 'GET' || process.env.POST === '1');
  if (!isAllowed) return outgoing.writeHead(403).end('Forbidden');
  const { method, url, headers } = incoming;
  const asked = request({ socketPath: '/var/run/docker.sock', method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode!, answer.headers).flushHeaders();
    answer.pipe(outgoing);
    outgoing.on('close', () => answer.destroy());
  });
  asked.on('error', () => outgoing.destroy());
  incoming.pipe(asked);
}).listen(2375);
process.once('SIGTERM', () => process.exit(0));
