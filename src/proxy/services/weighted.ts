import type { ProxyRequest, ProxyResponse } from '../../base/message.ts';
import { noServer } from '../error-response.ts';
import { createHighestRandomWeight, createWeightedRoundRobin } from './balancer.ts';
import { candidateState } from './candidate-state.ts';
import type { Service, ServiceContext } from './service.ts';
import { type CookieConfig, createSticky } from './sticky.ts';

export interface WeightedConfig {
  readonly services?: readonly { readonly name?: string; readonly weight?: number }[];
  readonly sticky?: { readonly cookie?: CookieConfig };
}

/** Divides requests among services: in turns by weight, or by the client's address. A child without a server is passed over while another has one. */
export function createWeighted(name: string, config: WeightedConfig, strategy: 'wrr' | 'hrw', context: ServiceContext): Service {
  const children = (config.services ?? [])
    .filter((child) => (child.weight ?? 1) > 0)
    .map((child) => ({ name: child.name ?? '', weight: child.weight ?? 1, service: context.service(child.name ?? '') }));
  const { cells, random } = context.platform;
  const states = children.map((child) => candidateState(cells, name, child.name));
  const balancer = strategy === 'wrr' ? createWeightedRoundRobin(children, states, random) : createHighestRandomWeight(children);
  const sticky =
    config.sticky?.cookie === undefined
      ? undefined
      : createSticky(
          config.sticky.cookie,
          name,
          children.map((child) => child.name),
        );
  const isUp = (index: number): boolean => children[index]!.service.available();

  async function handle(request: ProxyRequest): Promise<ProxyResponse> {
    const stuck = sticky?.find(request.headers);
    const kept = stuck !== undefined && isUp(stuck.index) ? stuck.index : undefined;
    const index = kept ?? balancer.next(request, isUp);
    if (index === undefined) return noServer();
    const response = await children[index]!.service.handle(request);
    if (sticky !== undefined && (kept === undefined || stuck!.renew)) response.headers.append('Set-Cookie', sticky.cookieFor(index));
    return response;
  }

  return {
    handle,
    available: () => children.some((_, index) => isUp(index)),
    healthy: () => children.reduce((sum, child) => sum + child.service.healthy(), 0),
  };
}
