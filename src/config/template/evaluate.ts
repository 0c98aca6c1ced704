import { createBudget } from './budget.ts';
import { TemplateError } from './error.ts';
import { callFunction, type FunctionContext, type TemplateFunction } from './function.ts';
import type { BlockNode, CallNode, Command, Node, Operand, ParsedTemplate, Pipeline } from './parser.ts';
import { createScope, type Scope } from './scope.ts';
import { Dict, isList, printValue, Struct, truth, typeName, type Value } from './value.ts';

/** Templates that call templates go no deeper. */
const MAX_CALLS = 100;

interface Variable {
  value: Value;
}

function scopeOf(data: Value): Scope<Variable> {
  const scope = createScope<Variable>();
  scope.add('$', { value: data });
  return scope;
}

type Flow = 'on' | 'break' | 'continue';

/** Runs a template over its data. Throws TemplateError. */
export function evaluate(
  template: ParsedTemplate,
  data: Value,
  functions: ReadonlyMap<string, TemplateFunction>,
  environment: FunctionContext['environment'],
): string {
  const budget = createBudget();
  const context: FunctionContext = { environment, budget };
  const output: string[] = [];
  let variables = scopeOf(data);
  let calls = 0;

  function write(text: string): void {
    budget.make(text.length);
    output.push(text);
  }

  function walk(nodes: readonly Node[], dot: Value): Flow {
    for (const node of nodes) {
      const flow = walkNode(node, dot);
      if (flow !== 'on') return flow;
    }
    return 'on';
  }

  function walkNode(node: Node, dot: Value): Flow {
    switch (node.type) {
      case 'text':
        write(node.text);
        return 'on';
      case 'action': {
        const value = pipelineValue(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) write(value === undefined || value === null ? '<no value>' : printValue(value, budget));
        return 'on';
      }
      case 'if':
      case 'with':
        return variables.within(() => {
          const value = pipelineValue(node.pipeline, dot);
          return truth(value) ? walk(node.body, node.type === 'with' ? value : dot) : walk(node.otherwise, dot);
        });
      case 'range':
        return variables.within(() => walkRange(node, dot));
      case 'template':
        walkCall(node, dot);
        return 'on';
      default:
        return node.type;
    }
  }

  function walkRange(node: BlockNode, dot: Value): Flow {
    const { pipeline } = node;
    const value = pipelineValue(pipeline, dot);
    const { variables: names, assigns } = pipeline;
    if (typeof value === 'bigint' && names.length > 1) throw new TemplateError(`A range over ${value} has one variable only`, node.offset);
    let run = false;
    for (const [key, item] of itemsOf(value, node.offset)) {
      run = true;
      budget.step(node.offset);
      const flow = variables.within(() => {
        const values = names.length === 2 ? [key, item] : [item];
        names.forEach((name, index) => {
          if (assigns) variable(name, node.offset).value = values[index];
          else variables.add(name, { value: values[index] });
        });
        return walk(node.body, item);
      });
      if (flow === 'break') break;
    }
    return run ? 'on' : walk(node.otherwise, dot);
  }

  function walkCall(node: CallNode, dot: Value): void {
    const body = template.definitions.get(node.name);
    if (body === undefined) throw new TemplateError(`There is no template '${node.name}'; write {{ define "${node.name}" }}`, node.offset);
    if (++calls > MAX_CALLS) throw new TemplateError(`Templates call each other more than ${MAX_CALLS} levels deep`, node.offset, true);
    budget.step(node.offset);
    const value = node.pipeline === undefined ? undefined : pipelineValue(node.pipeline, dot);
    const outer = variables;
    variables = scopeOf(value);
    walk(body, value);
    variables = outer;
    calls--;
  }

  function pipelineValue(pipeline: Pipeline, dot: Value): Value {
    let value: Value;
    pipeline.commands.forEach((command, index) => {
      value = commandValue(command, dot, index === 0 ? [] : [value]);
    });
    // A range gives its variables the items, not the list.
    for (const name of pipeline.variables) {
      if (pipeline.assigns) variable(name, pipeline.offset).value = value;
      else variables.add(name, { value });
    }
    return value;
  }

  function commandValue([first, ...rest]: Command, dot: Value, final: readonly Value[]): Value {
    if (first.type === 'function') return callNamed(first.name, rest, dot, final, first.offset);
    const value = operandValue(first, dot);
    if (rest.length > 0 || final.length > 0) throw new TemplateError('Values are given to what is no function', first.offset);
    return value;
  }

  function callNamed(name: string, operands: readonly Operand[], dot: Value, final: readonly Value[], offset: number): Value {
    if (name === 'and' || name === 'or') return shortCircuit(name === 'or', operands, dot, final, offset);
    const args = [...operands.map((operand) => operandValue(operand, dot)), ...final];
    return callFunction(name, functions.get(name)!, args, context, offset);
  }

  function shortCircuit(stopsAt: boolean, operands: readonly Operand[], dot: Value, final: readonly Value[], offset: number): Value {
    if (operands.length + final.length === 0) throw new TemplateError('and, or want at least 1 value, not 0', offset);
    let value: Value;
    for (const operand of operands) {
      value = operandValue(operand, dot);
      if (truth(value) === stopsAt) return value;
    }
    return final.length > 0 ? final[0] : value;
  }

  function operandValue(operand: Operand, dot: Value): Value {
    switch (operand.type) {
      case 'literal':
        return operand.value;
      case 'nil':
        return null;
      case 'dot':
        return dot;
      case 'variable':
        return variable(operand.name, operand.offset).value;
      case 'function':
        return callNamed(operand.name, [], dot, [], operand.offset);
      case 'pipeline':
        return pipelineValue(operand.pipeline, dot);
      case 'fields':
        return operand.names.reduce<Value>((value, name) => fieldOf(value, name, operand.offset), operandValue(operand.of, dot));
    }
  }

  function variable(name: string, offset: number): Variable {
    const found = variables.find(name);
    if (found === undefined) throw new TemplateError(`The variable ${name} is not defined here`, offset);
    return found;
  }

  walk(template.root, data);
  return output.join('');
}

function fieldOf(value: Value, name: string, offset: number): Value {
  if (value === undefined) return undefined;
  if (value instanceof Dict) return value.entries.get(name);
  if (value instanceof Struct && value.fields.has(name)) return value.fields.get(name);
  const known = value instanceof Struct ? `; known are ${[...value.fields.keys()].join(', ')}` : '';
  throw new TemplateError(`There is no field .${name} in ${typeName(value)}${known}`, offset);
}

function* itemsOf(value: Value, offset: number): Iterable<readonly [key: Value, item: Value]> {
  if (value === undefined || value === null) return;
  if (isList(value)) {
    for (const [index, item] of value.entries()) yield [BigInt(index), item];
  } else if (value instanceof Dict) {
    for (const key of value.sortedKeys()) yield [key, value.entries.get(key)];
  } else if (typeof value === 'bigint') {
    for (let index = 0n; index < value; index++) yield [index, index];
  } else throw new TemplateError(`A range wants a list, a dict or a whole number, not ${typeName(value)}`, offset);
}
