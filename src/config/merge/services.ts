import { providerOf } from '../names.ts';
import { createGraph, type Graph } from './graph.ts';
import { createRegistry, type Protocol, type Registry, type Slot } from './registry.ts';
import { readHttpService, readTcpService, type ServiceFacts } from './service-facts.ts';
import { NONE } from './verdict.ts';

export type ServiceSlot = Slot<ServiceFacts>;

const readers = { http: readHttpService, tcp: readTcpService, udp: readTcpService };

export const serviceRegistry = (protocol: Protocol): Registry<ServiceSlot> =>
  createRegistry(protocol, 'services', ({ written, owner }) => readers[protocol]((written ?? {}) as object, owner));

export interface ServiceNeighbours {
  readonly middlewares?: Graph<never>;
  readonly transports?: ReadonlyMap<string, Slot>;
}

export function serviceGraph(slots: ReadonlyMap<string, ServiceSlot>, { middlewares, transports }: ServiceNeighbours): Graph<ServiceSlot> {
  return createGraph<ServiceSlot>({
    noun: 'service',
    slots,
    missing: (name) => (providerOf(name) === 'internal' ? notEnabled(name) : `There is no service '${name}'`),
    judge({ facts }, use) {
      if (facts.isLeaf) return facts.errors;
      const errors = [...facts.errors];
      if (facts.transport !== undefined && transports !== undefined) errors.push(...judgeTransport(facts.transport, transports));
      for (const child of facts.children) errors.push(...use(child));
      for (const { child, remedy } of facts.asksHealth) {
        const slot = slots.get(child);
        if (slot !== undefined && !slot.facts.saysHealth)
          errors.push(`The service '${child}' has no healthCheck, which the service above it needs${remedy}`);
      }
      for (const middleware of facts.middlewares) errors.push(...(middlewares?.errorsOfUse(middleware) ?? NONE));
      return errors;
    },
  });
}

function judgeTransport(name: string, transports: ReadonlyMap<string, Slot>): string[] {
  const transport = transports.get(name);
  if (transport === undefined) return [`There is no serversTransport '${name}'`];
  return (transport.rejected ?? transport.critical).map((error) => `The serversTransport '${name}' is broken: ${error}`);
}

const SWITCHES: Record<string, string> = {
  api: 'api: {}',
  dashboard: 'api: { dashboard: true }',
  ping: 'ping: {}',
  prometheus: 'metrics: { prometheus: {} }',
  rest: 'providers: { rest: {} }',
  'acme-http': 'a certificate resolver with httpChallenge',
};

function notEnabled(name: string): string {
  const base = name.slice(0, -'@internal'.length);
  const remedy = SWITCHES[base];
  if (remedy === undefined) return `There is no internal service '${base}'; there are ${['noop', ...Object.keys(SWITCHES)].join(', ')}`;
  return `The internal service '${base}' is not switched on; write ${remedy} into the static configuration`;
}
