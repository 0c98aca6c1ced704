/** A reverse proxy on the HTTP/1.1 engine, or on the node:http rim, for the bench: `http1-proxy.ts <engine|node> <port of the server>`. Prints its own port. */
import net from 'node:net';
import { silentLogger } from '../../src/base/log.ts';
import type { ProxyRequest } from '../../src/base/message.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { createHttp1Connection, peerOf } from '../../src/origin-agent/http1/accept.ts';
import { DEFAULT_LIMITS } from '../../src/origin-agent/http1/settings.ts';
import { createUpstream } from '../../src/origin-agent/http1/upstream.ts';
import { createNodeHttpSender, createNodeHttpServer } from '../../src/origin-agent/rim/node-http.ts';
import type { ServerTarget } from '../../src/proxy/platform.ts';

const [kind, serverPort] = process.argv.slice(2);
const target: ServerTarget = {
  url: `http://127.0.0.1:${serverPort}`,
  scheme: 'http',
  host: '127.0.0.1',
  port: Number(serverPort),
  transportName: 'default@internal',
  transport: { maxIdleConnsPerHost: 200 },
};
const server = kind === 'engine' ? engine() : node();
server.listen(0, '127.0.0.1', () => console.log((server.address() as net.AddressInfo).port));

function engine(): net.Server {
  const upstream = createUpstream({ clock: systemClock });
  const handler = async (request: ProxyRequest) => upstream.send(target, request);
  const settings = { handler, entryPoint: 'web', clock: systemClock, log: silentLogger, limits: DEFAULT_LIMITS };
  return net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    createHttp1Connection(socket, settings, peerOf(socket));
  });
}

function node(): net.Server {
  const { send } = createNodeHttpSender();
  return createNodeHttpServer({
    handler: (request) => send(target, request),
    entryPoint: 'web',
    scheme: 'http',
    clock: systemClock,
    log: silentLogger,
  });
}
