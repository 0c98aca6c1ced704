import { list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const grpcWeb = defineMiddleware({
  kind: 'grpcWeb',
  summary: 'Translates gRPC-Web requests into gRPC.',
  options: object({ allowOrigins: list(string('An origin, or `*`.'), 'Origins that browsers may call from.') }, 'grpcWeb'),
  edge: 'gRPC needs response trailers, which fetch does not give',
});
