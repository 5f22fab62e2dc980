/**
 * Rule `echo`: code whose output is fixed by literals in the call, like `print('The answer is 42')`.
 * Proves: the tool could say nothing that the policy had not written itself.
 * Does not prove: anything about code that computes (`print(17 * 3)` is no echo). Source: hdpo.md section 3.
 */
import type { SyntaxNode } from '@lezer/common';
import type { PythonCode } from './pythonCode.ts';
import { buildFlag, type Rule } from './rule.ts';
import { codeOf } from './toolKinds.ts';

/** Flags, as certain, code that only prints literals or names bound to literals. */
export const echo: Rule = {
  id: 'echo',
  hintsOnly: false,
  flag: (facts) =>
    facts.judged.flatMap((call) => {
      const { tool, arguments: given } = facts.rollout.calls[call] ?? { tool: null, arguments: null };
      if (!mayEcho(codeOf(tool, given))) return [];
      const code = facts.code(call);
      return code !== null && printsLiterals(code) ? [buildFlag({ call, rule: 'echo', confidence: 'certain' })] : [];
    }),
};

const quotedOrComment = /("""|''')[\s\S]*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*/gu;

/** Long code, or code that imports or calls more than print, is never an echo: a cheap sign that spares parsing. */
function mayEcho(text: string | null): boolean {
  if (text === null || text.length >= 2_000 || !text.includes('print')) return false;
  if (/\bimport\b|[\w\])](?<!\bprint)\(/u.test(text)) return false;
  // Whatever computes, looks up or branches outside its strings is no echo.
  return !/[-+*/%<>|&^~@]|[\w\])]\[|\b(?:for|if|def|while|lambda)\b/u.test(text.replaceAll(quotedOrComment, ''));
}

/** True where every statement is a comment, a binding of a literal, or a print of literals and bound names. */
function printsLiterals({ tree, text, valid }: PythonCode): boolean {
  if (!valid) return false;
  const bound = new Set<string>();
  let prints = 0;
  const textOf = (node: SyntaxNode): string => text.slice(node.from, node.to);
  const isFixed = (node: SyntaxNode): boolean => {
    if (node.name === 'String' || node.name === 'Number' || node.name === 'Boolean' || node.name === 'None')
      return true;
    if (node.name === 'VariableName') return bound.has(textOf(node));
    const inside = [
      'FormatString',
      'FormatReplacement',
      'ContinuedString',
      'ParenthesizedExpression',
      'TupleExpression',
    ];
    return inside.includes(node.name) && values(node).every(isFixed);
  };
  for (let node = tree.topNode.firstChild; node !== null; node = node.nextSibling) {
    if (node.name === 'Comment' || node.name === 'PassStatement') continue;
    if (node.name === 'AssignStatement') {
      const [target, value] = values(node);
      if (target?.name !== 'VariableName' || value === undefined || !isFixed(value) || values(node).length !== 2)
        return false;
      bound.add(textOf(target));
      continue;
    }
    const call = node.name === 'ExpressionStatement' ? node.firstChild : null;
    const callee = call?.name === 'CallExpression' ? call.firstChild : null;
    const given = call?.getChild('ArgList') ?? null;
    if (callee?.name !== 'VariableName' || textOf(callee) !== 'print' || given === null) return false;
    if (!printedValues(given).every(isFixed)) return false;
    prints += printedValues(given).length;
  }
  return prints > 0;
}

const punctuation = new Set(['(', ')', ',', '[', ']', '{', '}', 'AssignOp', 'FormatSpec', 'FormatConversion']);

function values(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (!punctuation.has(child.name)) found.push(child);
  }
  return found;
}

/** Positional arguments; `end=''` and the like format, they say nothing. */
function printedValues(given: SyntaxNode): SyntaxNode[] {
  return values(given).filter((node) => node.nextSibling?.name !== 'AssignOp' && node.prevSibling?.name !== 'AssignOp');
}
