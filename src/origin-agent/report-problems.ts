import type { Logger } from '../base/log.ts';
import { KEPT } from '../config/merge.ts';
import type { RuntimeConfiguration, RuntimeObject } from '../config/runtime.ts';

type Kinds = Readonly<Record<string, Readonly<Record<string, RuntimeObject<unknown>>>>>;

/** One line for each object that is rejected or half-working now and was not, or not so, before. */
export function reportProblems(before: RuntimeConfiguration, after: RuntimeConfiguration, log: Logger): void {
  for (const protocol of ['http', 'tcp', 'udp'] as const) {
    for (const [kind, objects] of Object.entries(after[protocol] as Kinds)) {
      const known = (before[protocol] as Kinds)[kind] ?? {};
      for (const name in objects) {
        const { status, errors, provider } = objects[name]!;
        if (status === 'enabled' || objects[name] === known[name] || known[name]?.errors.join('\n') === errors.join('\n')) continue;
        for (const error of errors) {
          const fields = { object: `${protocol}.${kind}.${name}`, providerName: provider, error };
          if (status === 'disabled') log.error('Object is disabled', fields);
          else if (error.startsWith(KEPT)) log.error('Definition is refused', fields);
          else log.warn('Object has a problem', fields);
        }
      }
    }
  }
}
