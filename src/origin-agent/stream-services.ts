import type { Cells } from '../base/cells.ts';
import { providerOf, qualify } from '../config/names.ts';
import { createTurns, type Turn, turnsOf } from './turns.ts';

interface Balancer {
  readonly servers?: readonly { readonly fenced?: boolean; readonly address?: string }[];
}

/** What TCP and UDP services have in common. */
interface StreamService<B extends Balancer> {
  readonly loadBalancer?: B;
  readonly weighted?: {
    readonly services?: readonly { readonly name?: string; readonly weight?: number }[];
    /** Children that are down are passed over. */
    readonly healthCheck?: object;
  };
}

interface Node<T> {
  readonly next: () => T | undefined;
  readonly isDown: () => boolean;
}

/**
 * The server of the next connection or session by service; undefined when it has none. Servers on their way out (`fenced`) are left out,
 * and those that `read` makes nothing of.
 */
export function createStreamServices<B extends Balancer, T>(
  services: Readonly<Record<string, StreamService<B>>>,
  read: (balancer: B, server: NonNullable<B['servers']>[number], service: string) => Omit<Turn<T>, 'weight'> | undefined,
  { protocol, cells }: { readonly protocol: 'tcp' | 'udp'; readonly cells: Cells },
): (service: string) => T | undefined {
  const nodes = new Map<string, Node<T>>();
  const nodeOf = (name: string): Node<T> => {
    let node = nodes.get(name);
    if (node === undefined) nodes.set(name, (node = create(name)));
    return node;
  };

  function create(name: string): Node<T> {
    const { loadBalancer, weighted } = services[name] ?? {};
    const position = turnsOf(cells, `${protocol} ${name}`);
    if (loadBalancer !== undefined) {
      const turns = (loadBalancer.servers ?? [])
        .filter(({ fenced }) => !fenced)
        .flatMap((server) => read(loadBalancer, server, name) ?? [])
        .map((turn) => ({ ...turn, weight: 1 }));
      return { next: createTurns(turns, position), isDown: () => turns.every(({ isDown }) => isDown?.()) };
    }
    const looks = weighted?.healthCheck !== undefined;
    const children = (weighted?.services ?? []).map(({ name: child = '', weight = 1 }) => {
      const item = qualify(child, providerOf(name));
      return { item, weight, isDown: looks ? () => nodeOf(item).isDown() : undefined };
    });
    const next = createTurns(children, position);
    return {
      next() {
        const child = next();
        return child === undefined ? undefined : nodeOf(child).next();
      },
      isDown: () => children.every(({ isDown }) => isDown?.()),
    };
  }

  return (service) => nodeOf(service).next();
}

/** `host:port`; undefined when it is none. */
export function readAddress(address = ''): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(address);
  return match === null ? undefined : { host: (match[1] ?? match[2]) || 'localhost', port: Number(match[3]) };
}
