import { ConfigError } from '../base/errors.ts';
import { compileTemplate } from '../config/template.ts';
import { compileLabelConstraints } from './constraints.ts';
import type { LabelReader } from './docker-configuration.ts';
import type { ContainerSettings, SettingDefaults } from './docker-labels.ts';

export interface LabelReaderOptions extends SettingDefaults {
  readonly constraints?: string;
  readonly defaultRule: string;
  readonly allowEmptyServices?: boolean;
  readonly useBindPortIP?: boolean;
}

/** Throws ConfigError when the template of the default rule is wrong: then no router could be trusted. */
export function createLabelReader(
  options: LabelReaderOptions,
  readSettings: (labels: Readonly<Record<string, string>>, defaults: SettingDefaults) => ContainerSettings,
  environment: Readonly<Record<string, string | undefined>> = {},
): LabelReader {
  const template = compileTemplate(options.defaultRule);
  const settings = new WeakMap<object, ContainerSettings>();
  return {
    settingsOf(labels) {
      let read = settings.get(labels);
      if (read === undefined) settings.set(labels, (read = readSettings(labels, options)));
      return read;
    },
    isWanted: compileConstraints(options.constraints ?? ''),
    defaultRule: (values) => template(values, environment),
    allowEmptyServices: options.allowEmptyServices === true,
    useBindPortIP: options.useBindPortIP === true,
  };
}

/** A wrong expression chooses nothing, and is told for every container that it would have been asked about. */
function compileConstraints(expression: string): LabelReader['isWanted'] {
  try {
    return compileLabelConstraints(expression);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return () => {
      throw new ConfigError(error.code, `The constraints of the provider are wrong, so the container is left out: ${error.message}`);
    };
  }
}
