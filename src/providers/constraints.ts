import { ConfigError } from '../base/errors.ts';
import { compileRegexp } from '../base/regexp.ts';
import { parseRule, type RuleMatch, type RuleTree } from '../config/rule/parser.ts';

type Labels = Readonly<Record<string, string>>;

/** A function of the expression language: its texts → whether the subject fits. */
type Functions<T> = Readonly<Record<string, { readonly texts: number; readonly create: (...texts: string[]) => (subject: T) => boolean }>>;

const LABEL_FUNCTIONS: Functions<Labels> = {
  Label: {
    texts: 2,
    create: (name, value) => (labels) => (labels[name] ?? '') === value,
  },
  LabelRegex: {
    texts: 2,
    create: (name, expression) => {
      const regexp = compileRegexp(expression);
      return (labels) => regexp.test(labels[name] ?? '');
    },
  },
};

const TAG_FUNCTIONS: Functions<readonly string[]> = {
  Tag: { texts: 1, create: (tag) => (tags) => tags.includes(tag) },
  TagRegex: {
    texts: 1,
    create: (expression) => {
      const regexp = compileRegexp(expression);
      return (tags) => tags.some((tag) => regexp.test(tag));
    },
  },
};

/**
 * `Label(`tier`, `front`) && !LabelRegex(`env`, `^dev`)`: which containers are taken; all for an empty expression. Throws
 * ConfigError with the place of the mistake. Names of functions have one spelling; expressions are RE2 and unanchored.
 */
export const compileLabelConstraints = (expression: string): ((labels: Labels) => boolean) => compile(expression, LABEL_FUNCTIONS);

/** The same over tags (Consul, Nomad): `Tag(`front`)`, `TagRegex(`^env=`)`. */
export const compileTagConstraints = (expression: string): ((tags: readonly string[]) => boolean) => compile(expression, TAG_FUNCTIONS);

function compile<T>(expression: string, functions: Functions<T>): (subject: T) => boolean {
  if (expression === '') return () => true;
  const names = new Map(Object.keys(functions).map((name) => [name, name]));
  return compileTree(parseRule(expression, names), functions);
}

function compileTree<T>(tree: RuleTree, functions: Functions<T>): (subject: T) => boolean {
  if (tree.kind === 'match') return compileCall(tree, functions);
  const children = tree.children.map((child) => compileTree(child, functions));
  return tree.kind === 'and'
    ? (subject) => children.every((child) => child(subject))
    : (subject) => children.some((child) => child(subject));
}

function compileCall<T>({ matcher, values, negated }: RuleMatch, functions: Functions<T>): (subject: T) => boolean {
  const { texts, create } = functions[matcher]!;
  if (values.length !== texts) {
    throw new ConfigError('config.rule', `${matcher} takes ${texts} ${texts === 1 ? 'text' : 'texts'}, not ${values.length}`);
  }
  const fits = create(...values);
  return negated ? (subject) => !fits(subject) : fits;
}
