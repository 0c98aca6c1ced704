import { nearest } from '../../base/errors.ts';
import { TemplateError } from './error.ts';
import { type Token, type TokenType, tokenize } from './lexer.ts';
import { readCharacter, readNumber, unquote } from './literals.ts';
import { createScope, type Scope } from './scope.ts';
import type { Value } from './value.ts';

export type Operand =
  | { readonly type: 'literal'; readonly value: Value; readonly offset: number }
  | { readonly type: 'nil' | 'dot'; readonly offset: number }
  | { readonly type: 'variable'; readonly name: string; readonly offset: number }
  | { readonly type: 'function'; readonly name: string; readonly offset: number }
  | { readonly type: 'pipeline'; readonly pipeline: Pipeline; readonly offset: number }
  /** `.A.B`, `$x.A`, `(…).A`. */
  | { readonly type: 'fields'; readonly of: Operand; readonly names: readonly string[]; readonly offset: number };

/** An operand with its arguments. */
export type Command = readonly [Operand, ...Operand[]];

export interface Pipeline {
  /** `$x := …`, `$k, $v := …`; `$x = …` when assigns. */
  readonly variables: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly Command[];
  readonly offset: number;
}

/** `if`, `with`, `range`. */
export interface BlockNode {
  readonly type: 'if' | 'with' | 'range';
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
  readonly offset: number;
}

export interface CallNode {
  readonly type: 'template';
  readonly name: string;
  readonly pipeline: Pipeline | undefined;
  readonly offset: number;
}

export type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly pipeline: Pipeline }
  | BlockNode
  | CallNode
  | { readonly type: 'break' | 'continue'; readonly offset: number };

export interface ParsedTemplate {
  readonly root: readonly Node[];
  /** By name: what `define` and `block` say. */
  readonly definitions: ReadonlyMap<string, readonly Node[]>;
}

/** Deeper blocks and parentheses are refused. */
const MAX_DEPTH = 200;

/** What a function name is good for: undefined when there is none, a text that says why it is refused. */
export type FunctionLookup = (name: string) => true | string | undefined;

function topScope(): Scope<true> {
  const scope = createScope<true>();
  scope.add('$', true);
  return scope;
}

/** Parses Go's template language. Throws TemplateError. */
export function parseTemplate(input: string, lookup: FunctionLookup, names: () => Iterable<string>): ParsedTemplate {
  const tokens = tokenize(input);
  const definitions = new Map<string, readonly Node[]>();
  let position = 0;
  let variables = topScope();
  let depth = 0;
  let loops = 0;

  const peek = (): Token => tokens[position]!;
  const next = (): Token => tokens[position++]!;
  const peekPastSpace = (): Token => (peek().type === 'space' ? tokens[position + 1]! : peek());
  function nextPastSpace(): Token {
    if (peek().type === 'space') position++;
    return next();
  }
  const unexpected = ({ text, type, offset }: Token, where: string): TemplateError =>
    new TemplateError(
      `${type === 'end' ? 'The end of the text' : type === 'close' ? 'The end of the action' : `'${text}'`} is not expected ${where}`,
      offset,
    );

  function expect(type: TokenType, where: string): Token {
    const token = nextPastSpace();
    if (token.type !== type) throw unexpected(token, where);
    return token;
  }

  function deeper<T>(offset: number, parse: () => T): T {
    if (++depth > MAX_DEPTH) throw new TemplateError(`The template is nested more than ${MAX_DEPTH} levels deep`, offset, true);
    const result = parse();
    depth--;
    return result;
  }

  /** Up to `end` or `else`, which is the result's stop; at the top up to the end of the text. */
  function parseList(top: boolean): { nodes: Node[]; stop: Token } {
    const nodes: Node[] = [];
    while (true) {
      const token = next();
      if (token.type === 'end') {
        if (!top) throw new TemplateError('A block has no end; write {{ end }}', token.offset);
        return { nodes, stop: token };
      }
      if (token.type === 'text') {
        nodes.push({ type: 'text', text: token.text });
        continue;
      }
      const word = peekPastSpace();
      if (word.type === 'keyword' && (word.text === 'end' || word.text === 'else')) {
        nextPastSpace();
        if (top) throw new TemplateError(`{{ ${word.text} }} has no block before it`, word.offset);
        return { nodes, stop: word };
      }
      const node = parseAction(top);
      if (node !== undefined) nodes.push(node);
    }
  }

  function parseAction(top: boolean): Node | undefined {
    const word = peekPastSpace();
    if (word.type !== 'keyword') {
      return { type: 'action', pipeline: parsePipeline('close', 'a command', false) };
    }
    nextPastSpace();
    switch (word.text) {
      case 'if':
      case 'with':
      case 'range':
        return deeper(word.offset, () => parseBlock(word.text as 'if', word.offset));
      case 'break':
      case 'continue':
        if (loops === 0) throw new TemplateError(`{{ ${word.text} }} stands outside of a range`, word.offset);
        expect('close', `after ${word.text}`);
        return { type: word.text, offset: word.offset };
      case 'define':
        if (!top) throw new TemplateError('{{ define }} must not stand inside of a block', word.offset);
        deeper(word.offset, () => parseDefinition());
        return undefined;
      case 'block':
        return deeper(word.offset, () => parseInlineBlock(word.offset));
      default:
        return parseCall(word.offset);
    }
  }

  function parseBlock(type: 'if' | 'with' | 'range', offset: number): BlockNode {
    return variables.within(() => parseControl(type, offset));
  }

  function parseControl(type: 'if' | 'with' | 'range', offset: number): BlockNode {
    const pipeline = parsePipeline('close', `a value for ${type}`, type === 'range');
    if (type === 'range') loops++;
    const { nodes: body, stop } = parseList(false);
    if (type === 'range') loops--;
    let otherwise: Node[] = [];
    if (stop.text === 'else') {
      const word = peekPastSpace();
      if (word.type === 'keyword' && (word.text === 'if' || word.text === 'with') && word.text === type) {
        nextPastSpace();
        otherwise = [deeper(word.offset, () => parseBlock(type, word.offset))];
      } else {
        expect('close', 'after else');
        const rest = parseList(false);
        if (rest.stop.text === 'else') throw new TemplateError('A block has two {{ else }}', rest.stop.offset);
        otherwise = rest.nodes;
        expect('close', 'after end');
      }
    } else expect('close', 'after end');
    return { type, pipeline, body, otherwise, offset };
  }

  function parseBody(): Node[] {
    const outer = variables;
    const outerLoops = loops;
    variables = topScope();
    loops = 0;
    const { nodes, stop } = parseList(false);
    if (stop.text === 'else') throw new TemplateError('{{ else }} has no block before it', stop.offset);
    expect('close', 'after end');
    variables = outer;
    loops = outerLoops;
    return nodes;
  }

  function parseName(where: string): string {
    const token = nextPastSpace();
    if (token.type !== 'string' && token.type !== 'raw') throw unexpected(token, where);
    return unquote(token.text, token.offset);
  }

  function parseDefinition(): void {
    const name = parseName('as the name of a definition');
    expect('close', 'after the name of a definition');
    definitions.set(name, parseBody());
  }

  function parseInlineBlock(offset: number): CallNode {
    const name = parseName('as the name of a block');
    const pipeline = parsePipeline('close', 'a value for block', false);
    definitions.set(name, parseBody());
    return { type: 'template', name, pipeline, offset };
  }

  function parseCall(offset: number): CallNode {
    const name = parseName('as the name of a template');
    if (peekPastSpace().type === 'close') {
      nextPastSpace();
      return { type: 'template', name, pipeline: undefined, offset };
    }
    return { type: 'template', name, pipeline: parsePipeline('close', 'a value for template', false), offset };
  }

  function parsePipeline(end: 'close' | ')', wanted: string, ranges: boolean): Pipeline {
    const { offset } = peekPastSpace();
    const declared = parseDeclaration(ranges);
    const commands: Command[] = [];
    while (true) {
      const token = peekPastSpace();
      if (token.type === end) {
        nextPastSpace();
        break;
      }
      if (commands.length > 0) {
        if (token.type !== 'pipe') throw unexpected(token, 'here');
        nextPastSpace();
      }
      const command = parseCommand();
      if (commands.length > 0) checkStage(command);
      commands.push(command);
    }
    if (commands.length === 0) throw new TemplateError(`${wanted} is missing`, offset);
    if (!declared.assigns) for (const name of declared.names) variables.add(name, true);
    return { variables: declared.names, assigns: declared.assigns, commands, offset };
  }

  function checkStage([first]: Command): void {
    if (first.type === 'literal' || first.type === 'nil' || first.type === 'dot')
      throw new TemplateError('What stands behind | must be a function', first.offset);
  }

  function parseDeclaration(ranges: boolean): { names: string[]; assigns: boolean } {
    const start = position;
    const names: string[] = [];
    while (peekPastSpace().type === 'variable') {
      names.push(nextPastSpace().text);
      const token = nextPastSpace();
      if (token.type === 'declare' || token.type === 'assign') {
        const assigns = token.type === 'assign';
        if (assigns) for (const name of names) checkVariable(name, token.offset);
        return { names, assigns };
      }
      if (token.type !== 'comma' || !ranges || names.length === 2) break;
    }
    position = start;
    return { names: [], assigns: false };
  }

  function checkVariable(name: string, offset: number): void {
    if (variables.find(name) === undefined)
      throw new TemplateError(`The variable ${name} is not defined; write ${name} := … before`, offset);
  }

  function parseCommand(): Command {
    const operands: Operand[] = [];
    while (true) {
      const token = peekPastSpace();
      const spaced = peek().type === 'space' || operands.length === 0;
      if (token.type === 'close' || token.type === 'pipe' || token.type === ')') break;
      if (!spaced) throw unexpected(token, 'without a blank before it');
      nextPastSpace();
      operands.push(parseOperand(token));
    }
    if (operands.length === 0) throw unexpected(peekPastSpace(), 'where a command is wanted');
    if (operands[0]!.type === 'nil') throw new TemplateError('nil is no command', operands[0]!.offset);
    return operands as unknown as Command;
  }

  function parseOperand(token: Token): Operand {
    const operand = parseTerm(token);
    const fields: string[] = [];
    while (peek().type === 'field') fields.push(next().text.slice(1));
    if (fields.length === 0) return operand;
    if (operand.type === 'literal' || operand.type === 'nil' || operand.type === 'dot' || operand.type === 'function')
      throw unexpected({ type: 'field', text: `.${fields[0]}`, offset: token.offset }, `behind ${token.text}`);
    if (operand.type === 'fields') return { ...operand, names: [...operand.names, ...fields] };
    return { type: 'fields', of: operand, names: fields, offset: token.offset };
  }

  function parseTerm(token: Token): Operand {
    const { type, text, offset } = token;
    switch (type) {
      case 'identifier':
        checkFunction(text, offset);
        return { type: 'function', name: text, offset };
      case 'dot':
        return { type: 'dot', offset };
      case 'nil':
        return { type: 'nil', offset };
      case 'variable':
        checkVariable(text, offset);
        return { type: 'variable', name: text, offset };
      case 'field':
        return { type: 'fields', of: { type: 'dot', offset }, names: [text.slice(1)], offset };
      case 'bool':
        return { type: 'literal', value: text === 'true', offset };
      case 'number':
        return { type: 'literal', value: readNumber(text, offset), offset };
      case 'char':
        return { type: 'literal', value: readCharacter(text, offset), offset };
      case 'string':
      case 'raw':
        return { type: 'literal', value: unquote(text, offset), offset };
      case '(':
        return { type: 'pipeline', pipeline: deeper(offset, () => parsePipeline(')', 'a value in parentheses', false)), offset };
      default:
        throw unexpected(token, 'in a command');
    }
  }

  function checkFunction(name: string, offset: number): void {
    const known = lookup(name);
    if (known === true) return;
    if (known !== undefined) throw new TemplateError(`The function '${name}' is refused: ${known}`, offset);
    const near = nearest(name, names());
    throw new TemplateError(`There is no function '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`, offset);
  }

  return { root: parseList(true).nodes, definitions };
}
