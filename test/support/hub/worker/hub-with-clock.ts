import { Hub as RealHub } from '../../../../src/worker/hub/durable-object.ts';

/** Added to the time of the machine, for all hubs of the isolate; it outlives an eviction. */
let offsetMs = 0;

/** The hub with a clock that tests move: `POST /advance?ms=…` moves it and rings the alarm, as late as the clock says. */
export class Hub extends RealHub {
  constructor(state: ConstructorParameters<typeof RealHub>[0], env: ConstructorParameters<typeof RealHub>[1]) {
    super(state, env, {
      now: () => Date.now() + offsetMs,
      after(ms, callback) {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
    });
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== '/hub/advance') return super.fetch(request);
    offsetMs += Number(searchParams.get('ms'));
    await this.alarm();
    return new Response(String(Date.now() + offsetMs));
  }
}

export { default } from '../../../../src/worker/index.ts';
