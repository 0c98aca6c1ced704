/** The rim on `node:http`: slower than the engine of our own, kept as fallback and as judge of what a request or an answer is. */
export { createNodeHttpSender, type NodeHttpSender } from './node-http-sender.ts';
export { createNodeHttpServer, type NodeHttpServerOptions } from './node-http-server.ts';
