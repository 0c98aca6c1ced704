import { control, isControlHost } from './control.ts';
import { createEdge, type Edge } from './edge.ts';
import type { Env } from './env.ts';

export { Hub } from './hub/durable-object.ts';

let edge: Edge | undefined;

export default {
  fetch(request, env, ctx) {
    if (isControlHost(new URL(request.url).hostname, env.EDGEWAY_CONTROL_HOST)) return control.fetch(request, env, ctx);
    edge ??= createEdge(env);
    return edge.fetch(request, ctx);
  },
} satisfies ExportedHandler<Env>;
