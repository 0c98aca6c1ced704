import { parseShard } from '../../../src/config/shards.ts';

/** Reads the shard in its body as often as `?times=` says. */
export default {
  async fetch(request: Request): Promise<Response> {
    const text = await request.text();
    const times = Number(new URL(request.url).searchParams.get('times'));
    let routers = 0;
    for (let i = 0; i < times; i++) routers = Object.keys(parseShard(text).routers).length;
    return new Response(String(routers));
  },
};
