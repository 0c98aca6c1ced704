import { expect, it } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { type PredicateFunction, parsePredicate } from '../../src/middlewares/predicate.ts';

interface State {
  readonly i: number;
  readonly f: number;
  readonly s: string;
}

const functions: Record<string, PredicateFunction<State>> = {
  Int: {
    parameters: [],
    returns: 'int',
    create:
      () =>
      ({ i }) =>
        i,
  },
  Float: {
    parameters: [],
    returns: 'float',
    create:
      () =>
      ({ f }) =>
        f,
  },
  Text: {
    parameters: [],
    returns: 'string',
    create:
      () =>
      ({ s }) =>
        s,
  },
  Yes: { parameters: [], returns: 'condition', create: () => () => true },
  Sum: { parameters: ['int', 'int'], returns: 'int', create: (a, b) => () => a! + b! },
  Half: { parameters: ['float'], returns: 'float', create: (a) => () => a! / 2 },
};
const state: State = { i: 5, f: 0.5, s: 'GET' };

it.each([
  ['Int() == 5', true],
  ['Int() != 5', false],
  ['Int() < 5', false],
  ['Int() <= 5', true],
  ['Int() > 4', true],
  ['Int() >= 6', false],
  ['Float() > 0.30', true],
  ['Float() > .7', false],
  ['Float() < 1e1', true],
  ['Float() <= 5.e-1', true],
  ['Text() == "GET"', true],
  ['Text() != `GET`', false],
  ['Text() == "\\u0047ET"', true],
  ['Yes()', true],
  ['Sum(2, 3) == 5', true],
  ['Half(3.0) == 1.5', true],
  ['  Int()==5&&Float()>0.1  ', true],
  ['Int() == 1 || Yes()', true],
  ['Int() == 1 && Yes() || Yes()', true],
  ['Int() == 1 && (Yes() || Yes())', false],
  ['Yes() && Yes() && Int() == 1', false],
  ['(Int()) == 5', true],
  ['((Yes()))', true],
])('%s: %s', (text, expected) => {
  expect(parsePredicate(text, functions, 'expression')(state)).toBe(expected);
});

const KNOWN = 'Int(), Float(), Text(), Yes(), Sum(), Half()';
it.each([
  ['', 'the condition ends too early'],
  ['Nope() > 1', `there is no function 'Nope'; known are ${KNOWN}`],
  ['toString() > 1', `there is no function 'toString'; known are ${KNOWN}`],
  ['Float()', 'a value alone is no condition; compare it, as > 0.30'],
  ['5', 'a value alone is no condition; compare it, as > 0.30'],
  ['Yes() && Float()', 'a value alone is no condition; compare it, as > 0.30'],
  ['Float() > 1', "'>' compares with a number with a point, as 0.30 here, not with 1"],
  ['Int() > 1.5', "'>' compares with a whole number, as 100 here, not with 1.5"],
  ['Text() == 5', `'==' compares with a text, as "GET" here, not with 5`],
  ['Text() < "GET"', "texts are compared with == and != only, not with '<'"],
  ['0.5 < Float()', `the left side of '<' must be a function with a value, one of ${KNOWN}`],
  ['Yes() == 1', `the left side of '==' must be a function with a value, one of ${KNOWN}`],
  ['Int() == Int()', "the right side of '==' must be a number or a text"],
  ['Int() > 1 > 2', "'>' cannot stand here"],
  ['!Yes()', "'!' cannot stand here"],
  ['Int() > -1', "'-' cannot stand here"],
  ['Yes() Yes()', "'Yes' cannot stand here"],
  ['Yes( && Yes()', "'&&' cannot stand here"],
  ['(Yes()', "')' is missing at the end"],
  ['Yes', "'(' is missing at the end"],
  ['Yes > 1', "'(' is missing before '>'"],
  ['Sum(1) == 1', 'Sum() takes a whole number, as 100; a whole number, as 100'],
  ['Sum(1 2) == 1', "',' is missing before '2'"],
  ['Sum(1, 2, 3) == 1', 'Sum() takes a whole number, as 100; a whole number, as 100'],
  ['Half(1) == 1.0', 'Half() takes a number with a point, as 0.30'],
  ['Yes(1)', 'Yes() takes nothing between its brackets'],
  ['Text() == "GET', "'\"' cannot stand here"],
  ['Yes() &&', 'the condition ends too early'],
])('%s is refused: %s', (text, message) => {
  expect(() => parsePredicate(text, functions, 'expression')).toThrow(
    new ConfigError('config.bad-value', `'expression' ${JSON.stringify(text)}: ${message}`),
  );
});
