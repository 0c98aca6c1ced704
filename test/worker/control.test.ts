import { expect, it } from 'vitest';
import { isControlHost } from '../../src/worker/control.ts';

it.each([
  ['edgeway.me.workers.dev', undefined, true],
  ['edgeway.me.workers.dev', '', true],
  ['app.example.com', '', false],
  ['workers.dev.example.com', undefined, false],
  ['hub.example.com', 'Hub.example.com', true],
  ['hub.example.com', 'hub.example.com:8787', true],
  ['edgeway.me.workers.dev', 'hub.example.com', false],
])('%s with EDGEWAY_CONTROL_HOST %s: %s', (hostname, configured, expected) => {
  expect(isControlHost(hostname, configured)).toBe(expected);
});
