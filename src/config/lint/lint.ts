import type { RuntimeConfiguration } from '../runtime.ts';
import type { StaticConfiguration } from '../static.ts';
import type { Hint } from './finding.ts';
import { lintOrder, lintTls } from './routers.ts';
import { lintUnused } from './unused.ts';

export type { Hint } from './finding.ts';
export { lintStatic } from './static.ts';

/** All that is legal but surprising. `isReal`: the static configuration is the user's, not one made up for the check. */
export function lint(runtime: RuntimeConfiguration, configuration: StaticConfiguration, isReal: boolean): Hint[] {
  return [
    ...lintOrder(runtime, configuration.providers.precedence),
    ...(isReal ? lintTls(runtime, configuration) : []),
    ...lintUnused(runtime, configuration),
  ];
}
