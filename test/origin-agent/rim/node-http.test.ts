import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '../../../src/base/log.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { createNodeHttpSender, createNodeHttpServer } from '../../../src/origin-agent/rim/node-http.ts';
import { describeRim } from './rim-contract.ts';

describeRim('node:http', {
  async listen(handler) {
    const server = createNodeHttpServer({ handler, entryPoint: 'web', scheme: 'http', clock: systemClock, log: silentLogger });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      close: () => {
        server.closeAllConnections();
        server.close();
      },
    };
  },
  sender: createNodeHttpSender,
});
