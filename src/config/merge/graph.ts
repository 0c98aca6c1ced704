/** Errors of objects that refer to each other, found once each; circles and abysses end in an error instead of a crash. */
export interface Graph {
  /** What is wrong with the object itself or with what it refers to; empty when it works. */
  readonly errorsOf: (name: string) => readonly string[];
  /** The same as sentences for what refers to it; an object that does not exist is an error here. */
  readonly errorsOfUse: (name: string) => readonly string[];
}

export interface GraphOptions {
  /** `service`, as sentences say it. */
  readonly noun: string;
  /** Undefined when the object does not exist; else what is wrong with it, where `use` asks for what it refers to. */
  readonly judge: (name: string, use: (name: string) => readonly string[]) => readonly string[] | undefined;
  /** What to say of a name that does not exist. */
  readonly missing: (name: string) => string;
}

/** As deep as objects may refer to objects. */
const MAX_DEPTH = 100;
/** An object that refers to many broken ones names these first ones. */
const MAX_CAUSES = 3;

export function createGraph({ noun, judge, missing }: GraphOptions): Graph {
  const found = new Map<string, readonly string[] | undefined>();
  const uses = new Map<string, readonly string[]>();
  const path: string[] = [];

  function ask(name: string): readonly string[] | undefined {
    if (found.has(name)) return found.get(name);
    if (path.includes(name)) return [`The ${noun} '${name}' contains itself: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`];
    if (path.length >= MAX_DEPTH) return [`The ${noun} '${name}' stands more than ${MAX_DEPTH} deep within others`];
    path.push(name);
    const errors = judge(name, use);
    path.pop();
    found.set(name, errors === undefined ? undefined : [...new Set(errors)]);
    return found.get(name);
  }

  function use(name: string): readonly string[] {
    const known = uses.get(name);
    if (known !== undefined) return known;
    const errors = ask(name);
    const sentences =
      errors === undefined
        ? [missing(name)]
        : errors
            .slice(0, MAX_CAUSES)
            .map((error) => (error.startsWith(`The ${noun} '${name}'`) ? error : `The ${noun} '${name}' is broken: ${error}`));
    if (found.has(name)) uses.set(name, sentences);
    return sentences;
  }

  return { errorsOf: (name) => ask(name) ?? [], errorsOfUse: use };
}
