import { Hono } from 'hono';
import { HUB_NAME } from '../config/kv-layout.ts';
import type { Env } from './env.ts';

/** What answers on the control host. Every other host is data: no path of a user is shadowed. */
export const control = new Hono<{ Bindings: Env }>();
control.all('/hub/*', (c) => c.env.HUB.getByName(HUB_NAME).fetch(c.req.raw));

/** Without a name of its own the control host is the one that every Worker has under workers.dev. */
export function isControlHost(hostname: string, configured: string | undefined): boolean {
  if (configured === undefined || configured === '') return hostname.endsWith('.workers.dev');
  return hostname === configured.toLowerCase().replace(/:\d+$/, '');
}
