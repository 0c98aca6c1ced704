import { list, map, object, string } from '../../base/schema.ts';
import { names } from './router-options.ts';
import { streamServer, weightedServices } from './tcp.ts';

export const udpRouter = object(
  { entryPoints: names('Entry points; all default ones when absent.'), service: string('Where datagrams go.') },
  'A UDP router.',
);

export const udpService = object(
  {
    loadBalancer: object(
      {
        servers: list(object(streamServer, 'A server.'), 'The servers.', { labelName: 'server' }),
      },
      'Several servers.',
    ),
    weighted: object({ services: weightedServices }, 'Spreads sessions over services by weight.'),
  },
  'A UDP service: exactly one kind of them.',
);

export const udp = object(
  {
    routers: map(udpRouter, 'UDP routers by name.', { isolate: true }),
    services: map(udpService, 'UDP services by name.', { isolate: true }),
  },
  'UDP.',
  { isolate: true },
);
