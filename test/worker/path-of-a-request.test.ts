import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Echo, type Origin, startOrigin, valuesOf } from '../support/edge/origin.ts';
import { folded, router, servers, startWorld, type World } from '../support/edge/world.ts';
import { connectRaw } from '../support/raw-connection.ts';

let world: World;
let origin: Origin;

beforeAll(async () => {
  [world, origin] = await Promise.all([startWorld(), startOrigin('app')]);
  world.site('agent-1').configure({
    routers: {},
    services: { 'app@docker': servers(origin.url) },
    middlewares: {},
    serversTransports: {},
  });
  await world.publish({
    routers: { 'app@docker': router('Host(`app.example.com`)', 'app@docker') },
    services: { 'app@docker': folded({ 'agent-1': { name: 'app@docker', weight: 1 } }) },
  });
});
afterAll(async () => {
  await world?.stop();
  await origin?.stop();
});

/** One request, byte by byte; the connection closes after it. */
async function send(head: string, body = ''): Promise<{ head: string; body: string }> {
  const connection = await connectRaw(await world.port());
  connection.write(`${head}\r\nConnection: close\r\n\r\n${body}`);
  const response = await connection.response();
  connection.close();
  return response;
}
const echoOf = (response: { body: string }): Echo => JSON.parse(response.body) as Echo;

describe('the record', () => {
  it('keeps target, Host and repeated fields as sent', async () => {
    const response = await send(
      'GET /a%2Fb//c?x=1&&y=%zz HTTP/1.1\r\nHost: App.Example.COM\r\nX-Repeated: one\r\nx-repeated: two\r\nX-MiXed: Case',
    );
    const { target, headers } = echoOf(response);
    expect(response.head).toMatch(/^HTTP\/1.1 200/);
    expect(target).toBe('/a%2Fb/c?x=1&&y=%zz');
    expect(valuesOf(headers, 'Host')).toEqual(['App.Example.COM']);
    expect(valuesOf(headers, 'X-Repeated')).toEqual(['one', 'two']);
    expect(headers).toContain('X-MiXed');
  });
});
