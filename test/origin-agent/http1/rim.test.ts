import { silentLogger } from '../../../src/base/log.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { DEFAULT_LIMITS } from '../../../src/origin-agent/http1/settings.ts';
import { createUpstream } from '../../../src/origin-agent/http1/upstream.ts';
import { listenHttp1 } from '../../support/http1-server.ts';
import { describeRim } from '../rim/rim-contract.ts';

describeRim('http1', {
  listen: (handler) => listenHttp1({ handler, entryPoint: 'web', clock: systemClock, log: silentLogger, limits: DEFAULT_LIMITS }),
  sender: () => createUpstream({ clock: systemClock }),
});
