import { type Budget, ITEM_SIZE } from './budget.ts';
import { TemplateError } from './error.ts';
import { Dict, isList, typeName, type Value } from './value.ts';

/** What functions may have from outside. */
export interface FunctionContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly budget: Budget;
}

/** Kinds of parameters; `any` takes nil too. */
export type ParameterKind = 'text' | 'int' | 'float' | 'bool' | 'list' | 'dict' | 'any';

interface Kinds {
  text: string;
  int: bigint;
  float: number;
  bool: boolean;
  list: readonly Value[];
  dict: Dict;
  any: Value;
}

export interface TemplateFunction {
  readonly parameters: readonly ParameterKind[];
  /** Kind of further parameters, any number of them. */
  readonly rest: ParameterKind | undefined;
  readonly call: (args: readonly Value[], context: FunctionContext) => Value;
}

type Arguments<P extends readonly ParameterKind[]> = { [I in keyof P]: Kinds[P[I]] };

/** A function with fixed parameters. */
export const fixed = <const P extends readonly ParameterKind[]>(
  parameters: P,
  call: (args: Arguments<P>, context: FunctionContext) => Value,
): TemplateFunction => ({ parameters, rest: undefined, call: call as never });

/** A function whose last parameter may come any number of times. */
export const variadic = <const P extends readonly ParameterKind[], const R extends ParameterKind>(
  parameters: P,
  rest: R,
  call: (args: Arguments<P>, more: readonly Kinds[R][], context: FunctionContext) => Value,
): TemplateFunction => ({
  parameters,
  rest,
  call: (args, context) => call(args.slice(0, parameters.length) as never, args.slice(parameters.length) as never, context),
});

/** Calls with Go's checks of number and types. Throws TemplateError. */
export function callFunction(name: string, fn: TemplateFunction, args: readonly Value[], context: FunctionContext, offset: number): Value {
  const wanted = fn.parameters.length;
  if (fn.rest === undefined ? args.length !== wanted : args.length < wanted)
    throw new TemplateError(`${name} wants ${fn.rest === undefined ? '' : 'at least '}${wanted} values, not ${args.length}`, offset);
  args.forEach((arg, index) => {
    const kind = fn.parameters[index] ?? fn.rest!;
    if (!fits(kind, arg)) throw new TemplateError(`${name} wants ${WANTED[kind]} as value ${index + 1}, not ${typeName(arg)}`, offset);
  });
  context.budget.step(offset);
  try {
    const result = fn.call(args, context);
    context.budget.make(typeof result === 'string' ? result.length : isList(result) ? result.length * ITEM_SIZE : 0);
    return result;
  } catch (error) {
    if (error instanceof TemplateError && error.offset === undefined)
      throw new TemplateError(error.limit ? error.message : `${name}: ${error.message}`, offset, error.limit);
    throw error;
  }
}

const WANTED: Record<ParameterKind, string> = {
  text: 'a text',
  int: 'a whole number (see `int`)',
  float: 'a number',
  bool: 'true or false',
  list: 'a list',
  dict: 'a dict',
  any: 'anything',
};

function fits(kind: ParameterKind, value: Value): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'int':
      return typeof value === 'bigint';
    case 'float':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'bool':
      return typeof value === 'boolean';
    case 'list':
      return isList(value);
    case 'dict':
      return value instanceof Dict;
    case 'any':
      return true;
  }
}
