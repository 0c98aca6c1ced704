import { type Rim, underTest } from './rim.ts';
import { describeAnswers } from './rim-answers.ts';
import { describeRequests } from './rim-requests.ts';
import { describeThrough } from './rim-through.ts';
import { describeTowardsServer } from './rim-towards-server.ts';

/** What every rim of the agent does, whatever it is built on. */
export function describeRim(name: string, rim: Rim): void {
  const tested = underTest(rim);
  describeRequests(name, tested);
  describeAnswers(name, tested);
  describeTowardsServer(name, tested);
  describeThrough(name, tested);
}
