import type { ServerTarget } from '../../src/proxy/platform.ts';

/** A server on this machine, reached as its scheme says. */
export const serverTarget = (port: number, transport: object = {}, scheme: ServerTarget['scheme'] = 'http'): ServerTarget => ({
  url: `${scheme}://127.0.0.1:${port}`,
  scheme,
  host: '127.0.0.1',
  port,
  transportName: 'default@internal',
  transport: transport as ServerTarget['transport'],
});
