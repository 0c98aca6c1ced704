/** `resume.ts PORT SECONDS`: TLS connections one after the other on 8 lanes, each with the session of the first. Prints JSON. */
import tls from 'node:tls';

const [port, seconds] = process.argv.slice(2).map(Number) as [number, number];
const options = { host: '127.0.0.1', port, servername: 'h0.test', rejectUnauthorized: false };
const request = 'GET /1k HTTP/1.1\r\nHost: h0.test\r\nConnection: close\r\n\r\n';
let session: Buffer | undefined;
let connections = 0;
let resumed = 0;

const visit = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = tls.connect({ ...options, ...(session !== undefined && { session }) }, () => {
      connections++;
      if (socket.isSessionReused()) resumed++;
      socket.write(request);
    });
    socket.once('session', (data) => (session ??= data));
    socket.resume();
    socket.once('close', () => resolve());
    socket.once('error', reject);
  });

await visit();
[connections, resumed] = [0, 0];
const end = performance.now() + seconds * 1000;
await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (performance.now() < end) await visit();
  }),
);
console.log(JSON.stringify({ connections, resumed }));
