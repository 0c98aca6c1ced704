import { object } from '../base/schema.ts';
import { http, type httpRouter, type middleware, type serversTransport } from './dynamic/http.ts';
import type { httpService, loadBalancer } from './dynamic/http-service.ts';
import { tcp, type tcpMiddleware, type tcpRouter, type tcpServersTransport, type tcpService } from './dynamic/tcp.ts';
import { tls, type tlsCertificate, type tlsOptions, type tlsStore } from './dynamic/tls.ts';
import { udp, type udpRouter, type udpService } from './dynamic/udp.ts';

export { httpRouter, middleware, serversTransport } from './dynamic/http.ts';
export { httpService, loadBalancer } from './dynamic/http-service.ts';
export { tcpMiddleware, tcpRouter, tcpServersTransport, tcpService } from './dynamic/tcp.ts';
export { tlsCertificate, tlsOptions, tlsStore } from './dynamic/tls.ts';
export { udpRouter, udpService } from './dynamic/udp.ts';

/** One provider's whole say. Entries of every map fail alone. */
export const dynamicConfiguration = object({ http, tcp, udp, tls }, 'The dynamic configuration.', { isolate: true });

type TypeOf<S extends { readonly $type?: unknown }> = NonNullable<S['$type']>;

export type DynamicConfiguration = TypeOf<typeof dynamicConfiguration>;
export type HttpRouter = TypeOf<typeof httpRouter>;
export type HttpService = TypeOf<typeof httpService>;
export type HttpMiddleware = TypeOf<typeof middleware>;
export type LoadBalancer = TypeOf<typeof loadBalancer>;
export type ServersTransport = TypeOf<typeof serversTransport>;
export type TcpRouter = TypeOf<typeof tcpRouter>;
export type TcpService = TypeOf<typeof tcpService>;
export type TcpMiddleware = TypeOf<typeof tcpMiddleware>;
export type TcpServersTransport = TypeOf<typeof tcpServersTransport>;
export type UdpRouter = TypeOf<typeof udpRouter>;
export type UdpService = TypeOf<typeof udpService>;
export type TlsCertificate = TypeOf<typeof tlsCertificate>;
export type TlsOptions = TypeOf<typeof tlsOptions>;
export type TlsStore = TypeOf<typeof tlsStore>;
