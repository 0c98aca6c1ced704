import { list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const chain = defineMiddleware({
  kind: 'chain',
  summary: 'Stands for other middlewares, in their order.',
  options: object({ middlewares: list(string('A middleware.'), 'Run in this order.') }, 'chain'),
  edge: true,
  expand: ({ middlewares = [] }) => middlewares,
});
