import { silentLogger } from '../../../src/base/log.ts';
import type { Handler } from '../../../src/base/message.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { DEFAULT_LIMITS, type Http1Settings } from '../../../src/origin-agent/http1/settings.ts';
import { createUpstream } from '../../../src/origin-agent/http1/upstream.ts';
import { listenHttp1 } from '../../support/http1-server.ts';
import { describeRim } from '../rim/rim-contract.ts';

const settings = (handler: Handler): Http1Settings => ({
  handler,
  entryPoint: 'web',
  clock: systemClock,
  log: silentLogger,
  limits: DEFAULT_LIMITS,
});
const sender = () => createUpstream({ clock: systemClock });

describeRim('http1', { listen: (handler) => listenHttp1(settings(handler)), sender });
describeRim('http1 on streams', { listen: (handler) => listenHttp1(settings(handler), true), sender });
