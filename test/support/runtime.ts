import { describe } from '../../src/base/errors.ts';
import { loadDynamic } from '../../src/config/load.ts';
import { createMerger } from '../../src/config/merge.ts';
import type { RuntimeConfiguration } from '../../src/config/runtime.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import { parseYaml } from '../../src/config/yaml.ts';

/** Entry points for tests; routers that name none are on `web` alone. */
const STATIC = `
entryPoints:
  web: { address: ":80", asDefault: true }
  websecure: { address: ":443" }
  private: { address: ":8000" }
`;

/** What merge makes of the YAML of one provider (file), or of several by name. */
export function runtimeOf(yaml: string | Readonly<Record<string, string>>, staticYaml = STATIC): RuntimeConfiguration {
  const { configuration, problems } = loadStatic({
    arguments: ['--configFile=static.yml'],
    environment: {},
    readFile: (path) => (path === 'static.yml' ? staticYaml : undefined),
  });
  if (configuration === undefined) throw new Error(problems.map(describe).join('\n'));
  const says = Object.entries(typeof yaml === 'string' ? { file: yaml } : yaml).map(([provider, text]) => {
    const loaded = loadDynamic(parseYaml(text, `${provider}.yml`));
    if (loaded.problems.length > 0) throw new Error(loaded.problems.map(describe).join('\n'));
    return [provider, loaded] as const;
  });
  return createMerger(configuration).merge(new Map(says));
}
