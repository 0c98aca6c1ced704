import { createServer, type Server } from 'node:http';

/** Starts small servers that answer with what they were asked, one a port, on loopback. Ends with `close`. */
export async function startDemoServers(ports: readonly number[]): Promise<{ close(): Promise<void> }> {
  const servers = await Promise.all(ports.map((port, index) => start(`server-${index + 1}`, port)));
  return {
    async close() {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
    },
  };
}

/** Name, request line and header fields as text, the customary answer of a demo server. */
function start(name: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const lines = [`Name: ${name}`, `${request.method} ${request.url} HTTP/${request.httpVersion}`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    request.resume();
    response.writeHead(200, { 'Content-Type': 'text/plain', 'X-Served-By': name });
    response.end(`${lines.join('\n')}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
