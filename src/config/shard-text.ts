import { canonicalJson, type ProxyConfiguration, quote } from './snapshot.ts';

/** Texts of configurations that share their objects: each object is written once. */
export interface SharedTexts {
  /** Characters of `textOf`, hardly less, without making it. */
  lengthOf(configuration: ProxyConfiguration): number;
  /** `canonicalJson` of it. The names of its objects must be in order. */
  textOf(configuration: ProxyConfiguration): string;
}

/** In the order of text. */
const KINDS = ['middlewares', 'routers', 'serversTransports', 'services'] as const;

export function createSharedTexts(): SharedTexts {
  const texts = new Map<object, string>();

  function objectText(object: object): string {
    let text = texts.get(object);
    if (text === undefined) texts.set(object, (text = canonicalJson(object)));
    return text;
  }

  function recordText(objects: Readonly<Record<string, object>>): string {
    const entries: string[] = [];
    for (const name in objects) entries.push(`${quote(name)}:${objectText(objects[name]!)}`);
    return `{${entries.join(',')}}`;
  }

  return {
    lengthOf(configuration) {
      let length = 0;
      for (const kind of KINDS) {
        const objects = configuration[kind];
        for (const name in objects) length += name.length + '"":,'.length + objectText(objects[name]!).length;
      }
      return length;
    },
    textOf: (configuration) => `{${KINDS.map((kind) => `"${kind}":${recordText(configuration[kind])}`).join(',')}}`,
  };
}
