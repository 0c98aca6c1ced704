import { systemClock } from '../../../src/origin-agent/clock.ts';
import { createUpstream } from '../../../src/origin-agent/http1/upstream.ts';
import { http1Settings, listenHttp1 } from '../../support/http1-server.ts';
import { describeRim } from '../rim/rim-contract.ts';

const sender = () => createUpstream({ clock: systemClock });

describeRim('http1', { listen: (handler) => listenHttp1(http1Settings(handler)), sender });
describeRim('http1 on streams', { listen: (handler) => listenHttp1(http1Settings(handler), true), sender });
