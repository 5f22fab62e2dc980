/**
 * What straight-line Python must print: literals, and arithmetic on numbers, worked out here without running anything.
 * An observation of such a call that lacks what must have been printed contradicts the call (feedback.ts).
 * Leaves out everything that needs more than exact arithmetic: functions, methods, loops, formats. Null where it cannot tell.
 */
import type { SyntaxNode } from '@lezer/common';
import { stringValue, type PythonCode } from '../redundancy/pythonCode.ts';

type Value = bigint | number | string;

const longestCode = 2_000;
/** Bits of a power: more digits are no arithmetic that a policy checks, and products of them would take for ever. */
const mostBits = 4_000;
const largest = 2n ** 4_000n;

/** The texts that the code prints, one a print; null where one cannot be told, or the code does anything else. */
export function fixedOutput({ text, tree, valid }: PythonCode): readonly string[] | null {
  if (!valid || text.length > longestCode || !text.includes('print')) return null;
  const bound = new Map<string, Value>();
  const printed: string[] = [];
  const read = (node: SyntaxNode): string => text.slice(node.from, node.to);
  for (let node = tree.topNode.firstChild; node !== null; node = node.nextSibling) {
    if (node.name === 'Comment' || node.name === 'PassStatement') continue;
    if (node.name === 'AssignStatement') {
      const [target, operator, value, ...more] = childrenOf(node);
      if (target?.name !== 'VariableName' || operator?.name !== 'AssignOp' || !value || more.length > 0) return null;
      const found = valueOf(value, read, bound);
      if (found === null) return null;
      bound.set(read(target), found);
      continue;
    }
    const line = node.name === 'ExpressionStatement' ? printedLine(node.firstChild, read, bound) : null;
    if (line === null) return null;
    printed.push(line);
  }
  return printed;
}

function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'Comment') children.push(child);
  }
  return children;
}

type Read = (node: SyntaxNode) => string;
type Bound = ReadonlyMap<string, Value>;

function printedLine(call: SyntaxNode | null, read: Read, bound: Bound): string | null {
  const callee = call?.name === 'CallExpression' ? call.firstChild : null;
  const given = call?.getChild('ArgList') ?? null;
  if (callee?.name !== 'VariableName' || read(callee) !== 'print' || given === null) return null;
  const values: string[] = [];
  for (const child of childrenOf(given)) {
    if (child.name === '(' || child.name === ')' || child.name === ',') continue;
    // Starred values and settings (`sep`, `end`, `file`) print something else, or elsewhere.
    if (child.name === 'AssignOp' || child.name === '*' || child.name === '**') return null;
    const value = valueOf(child, read, bound);
    const shown = value === null ? null : textOf(value);
    if (shown === null) return null;
    values.push(shown);
  }
  return values.join(' ');
}

/** A value as Python prints it; null for floats that it may print otherwise than JavaScript. */
function textOf(value: Value): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size >= 1e15 || (size < 1e-4 && size !== 0)) return null;
  return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
}

function valueOf(node: SyntaxNode, read: Read, bound: Bound): Value | null {
  switch (node.name) {
    case 'Number':
      return numberOf(read(node));
    case 'String': {
      const literal = read(node);
      const text = stringValue(literal);
      return text === null || text.includes('\\') ? null : text;
    }
    case 'VariableName':
      return bound.get(read(node)) ?? null;
    case 'ParenthesizedExpression': {
      const [, inner, close] = childrenOf(node);
      return inner && close?.name === ')' ? valueOf(inner, read, bound) : null;
    }
    case 'UnaryExpression': {
      const [operator, inner] = childrenOf(node);
      const value = inner ? valueOf(inner, read, bound) : null;
      if (value === null || typeof value === 'string' || !operator) return null;
      return read(operator) === '-' ? -value : read(operator) === '+' ? value : null;
    }
    case 'BinaryExpression': {
      const [left, operator, right] = childrenOf(node);
      if (!left || !operator || !right || operator.name !== 'ArithOp') return null;
      const [one, other] = [valueOf(left, read, bound), valueOf(right, read, bound)];
      return one === null || other === null ? null : arithmetic(one, read(operator), other);
    }
    default:
      return null;
  }
}

function numberOf(literal: string): Value | null {
  const text = literal.replaceAll('_', '');
  if (/^\d+$/u.test(text)) return BigInt(text);
  return /^(?:\d+\.\d*|\.\d+|\d+(?:\.\d*)?[eE][+-]?\d+)$/u.test(text) ? Number(text) : null;
}

function arithmetic(one: Value, operator: string, other: Value): Value | null {
  if (typeof one === 'string' || typeof other === 'string') {
    return operator === '+' && typeof one === 'string' && typeof other === 'string' ? one + other : null;
  }
  if (typeof one === 'bigint' && typeof other === 'bigint') {
    const value = wholeArithmetic(one, operator, other);
    return typeof value === 'bigint' && (value > largest || value < -largest) ? null : value;
  }
  const [a, b] = [Number(one), Number(other)];
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0 ? null : a / b;
    default:
      // Powers, remainders and floors of floats are where languages differ.
      return null;
  }
}

function wholeArithmetic(one: bigint, operator: string, other: bigint): Value | null {
  switch (operator) {
    case '+':
      return one + other;
    case '-':
      return one - other;
    case '*':
      return one * other;
    case '/': {
      const exact = Number.isSafeInteger(Number(one)) && Number.isSafeInteger(Number(other));
      return other === 0n || !exact ? null : Number(one) / Number(other);
    }
    case '//':
      return other === 0n ? null : floorDivided(one, other);
    case '%':
      return other === 0n ? null : one - floorDivided(one, other) * other;
    case '**':
      return other < 0n || bitsOf(one) * Number(other) > mostBits ? null : one ** other;
    default:
      return null;
  }
}

function bitsOf(value: bigint): number {
  return value.toString(2).length;
}

/** Python rounds towards minus infinity, BigInt towards zero. */
function floorDivided(one: bigint, other: bigint): bigint {
  const towardsZero = one / other;
  return towardsZero * other !== one && one < 0n !== other < 0n ? towardsZero - 1n : towardsZero;
}
