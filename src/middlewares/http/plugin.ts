import { any, map } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

/** Traefik's plugins are Go or WASM programs; a router that uses one is disabled, never served without it. */
export const plugin = defineMiddleware({
  kind: 'plugin',
  summary: 'Traefik’s plugins; read and shown, but never run.',
  options: map(any('Options of the plugin.'), 'Options by the plugin’s name.'),
  edge: 'nobody runs plugins',
});
