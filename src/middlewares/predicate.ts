import { ConfigError } from '../base/errors.ts';

/**
 * Conditions as circuitBreaker and buffering write them: `NetworkErrorRatio() > 0.30 && Attempts() <= 2`. The grammar is that of Go
 * expressions; a comparison has a function on its left and a literal of the function's type on its right.
 */
export type Type = 'int' | 'float' | 'string' | 'condition';

export interface PredicateFunction<S> {
  readonly parameters: readonly ('int' | 'float')[];
  readonly returns: Type;
  /** Called once per place in the text, with the literal arguments. */
  readonly create: (...args: number[]) => (state: S) => number | string | boolean;
}

export type Predicate<S> = (state: S) => boolean;

type Value<S> =
  | { readonly type: Type; readonly read: (state: S) => number | string | boolean }
  | { readonly type: 'int' | 'float' | 'string'; readonly literal: number | string };

/** Compiles a condition. Throws ConfigError that names `option` and says what is wrong and what to write. */
export function parsePredicate<S>(text: string, functions: Readonly<Record<string, PredicateFunction<S>>>, option: string): Predicate<S> {
  const fail = (message: string): never => {
    throw new ConfigError('config.bad-value', `'${option}' ${JSON.stringify(text)}: ${message}`);
  };
  const tokens = tokenize(text, fail);
  let position = 0;
  const peek = (): string => tokens[position] ?? '';
  const accept = (token: string): boolean => peek() === token && ++position > 0;
  const want = (token: string): void => {
    if (!accept(token)) fail(`'${token}' is missing ${position < tokens.length ? `before '${peek()}'` : 'at the end'}`);
  };
  const known = Object.keys(functions)
    .map((name) => `${name}()`)
    .join(', ');

  function readConditions(operator: '||' | '&&', readPart: () => Value<S>): Value<S> {
    const first = readPart();
    if (peek() !== operator) return first;
    const parts = [toCondition(first)];
    while (accept(operator)) parts.push(toCondition(readPart()));
    const read = operator === '||' ? (state: S) => parts.some((part) => part(state)) : (state: S) => parts.every((part) => part(state));
    return { type: 'condition', read };
  }
  const readOr = (): Value<S> => readConditions('||', readAnd);
  const readAnd = (): Value<S> => readConditions('&&', readComparison);

  function readComparison(): Value<S> {
    const left = readOperand();
    const operator = peek();
    const compare = COMPARISONS[operator];
    if (compare === undefined) return left;
    position++;
    const right = readOperand();
    if ('literal' in left || left.type === 'condition')
      return fail(`the left side of '${operator}' must be a function with a value, one of ${known}`);
    if (!('literal' in right)) return fail(`the right side of '${operator}' must be a number or a text`);
    if (right.type !== left.type)
      return fail(`'${operator}' compares with ${EXAMPLES[left.type]} here, not with ${JSON.stringify(right.literal)}`);
    if (left.type === 'string' && operator !== '==' && operator !== '!=')
      return fail(`texts are compared with == and != only, not with '${operator}'`);
    const { read } = left;
    const { literal } = right;
    return { type: 'condition', read: (state) => compare(read(state) as number, literal as number) };
  }

  function readOperand(): Value<S> {
    const token = peek();
    position++;
    if (token === '(') {
      const inner = readOr();
      want(')');
      return inner;
    }
    if (/^\d*\.?\d/.test(token)) return { type: /^\d+$/.test(token) ? 'int' : 'float', literal: Number(token) };
    if (/^["`]/.test(token)) return { type: 'string', literal: token[0] === '`' ? token.slice(1, -1) : (JSON.parse(token) as string) };
    if (!/^\w/.test(token)) return fail(token === '' ? 'the condition ends too early' : `'${token}' cannot stand here`);
    return readCall(token);
  }

  function readCall(name: string): Value<S> {
    const definition = Object.hasOwn(functions, name) ? functions[name]! : fail(`there is no function '${name}'; known are ${known}`);
    want('(');
    const args: number[] = [];
    while (!accept(')')) {
      if (args.length > 0) want(',');
      const argument = readOperand();
      const wanted = definition.parameters[args.length];
      if (!('literal' in argument) || argument.type !== wanted) return fail(`${name}() takes ${describeParameters(definition.parameters)}`);
      args.push(argument.literal as number);
    }
    if (args.length !== definition.parameters.length) return fail(`${name}() takes ${describeParameters(definition.parameters)}`);
    return { type: definition.returns, read: definition.create(...args) };
  }

  function toCondition(value: Value<S>): Predicate<S> {
    if ('literal' in value || value.type !== 'condition') return fail('a value alone is no condition; compare it, as > 0.30');
    return value.read as Predicate<S>;
  }

  const result = toCondition(readOr());
  if (position < tokens.length) fail(`'${peek()}' cannot stand here`);
  return result;
}

const COMPARISONS: Record<string, ((a: number, b: number) => boolean) | undefined> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const EXAMPLES: Record<Type, string> = {
  int: 'a whole number, as 100',
  float: 'a number with a point, as 0.30',
  string: 'a text, as "GET"',
  condition: '',
};

const describeParameters = (parameters: readonly ('int' | 'float')[]): string =>
  parameters.length === 0 ? 'nothing between its brackets' : parameters.map((type) => EXAMPLES[type]).join('; ');

const TOKEN =
  /\s*(?:(\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+)|([A-Za-z_]\w*)|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|(&&|\|\||==|!=|<=|>=|[<>(),]))/y;

function tokenize(text: string, fail: (message: string) => never): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  for (let at = 0; at < end; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) fail(`'${text.slice(at).trim()[0]}' cannot stand here`);
    tokens.push(match![0].trim());
  }
  return tokens;
}
