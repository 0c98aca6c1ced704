import type { Command, Report } from '../commands.ts';
import { analyticsReport } from './analytics-double.ts';
import { commandEgress } from './egress.ts';
import { commandHub } from './hub-double.ts';
import { commandKv } from './kv-double.ts';

export { AnalyticsDouble } from './analytics-double.ts';
export { Egress } from './egress.ts';
export { HubDouble } from './hub-double.ts';
export { KvDouble } from './kv-double.ts';

/** Tests speak to the doubles here; they live in one isolate, so the bindings of all Workers see the same. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { kv = {}, hub = {}, egress = {} } = (await request.json()) as Command;
    return Response.json({
      kv: commandKv(kv),
      hub: commandHub(hub),
      egress: commandEgress(egress),
      analytics: analyticsReport(),
    } satisfies Report);
  },
};
