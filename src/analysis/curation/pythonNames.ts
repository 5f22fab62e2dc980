/**
 * Names in Python code: which it binds, which it surely reads while it runs, which modules it imports. By parse only
 * (@lezer/python); nothing is run. Used to find code that cannot have run (feedback.ts).
 * Leaves out order and data flow: a name that is bound anywhere counts as bound, and a name inside a branch, a loop, a
 * function, a try or a comprehension counts as never read, so that nothing is claimed that may not have happened.
 */
import type { SyntaxNode } from '@lezer/common';
import type { PythonCode } from '../redundancy/pythonCode.ts';

/** What a piece of code says of names. */
export interface PythonNames {
  readonly bound: ReadonlySet<string>;
  /** Read by a statement that runs whatever happens before it. */
  readonly read: ReadonlySet<string>;
  /** Top-level modules ("numpy" of `import numpy.linalg as la`). */
  readonly imported: ReadonlySet<string>;
  /** True where names may come from anywhere: star imports, exec, eval, globals, notebook magics. */
  readonly open: boolean;
}

const opening = new Set([
  'exec',
  'eval',
  'globals',
  'locals',
  'vars',
  'setattr',
  '__import__',
  'compile',
  'get_ipython',
]);
/** What stands inside these may not run, or runs with names of its own. */
const uncertain = new Set([
  'IfStatement',
  'ForStatement',
  'WhileStatement',
  'TryStatement',
  'MatchStatement',
  'FunctionDefinition',
  'ClassDefinition',
  'LambdaExpression',
  'ConditionalExpression',
]);

/** Code that is nested deeper was written to break something: nothing is claimed of it. */
const deepest = 500;

/** The names of parsed code; nothing is claimed of code that does not parse. */
export function pythonNames({ text, tree, valid }: PythonCode): PythonNames {
  const bound = new Set<string>();
  const read = new Set<string>();
  const imported = new Set<string>();
  let open = !valid || /^[ \t]*[!%]/mu.test(text);
  let depth = 0;
  const nameOf = (node: SyntaxNode): string => text.slice(node.from, node.to);

  const visitChildren = (node: SyntaxNode, sure: boolean): void => {
    if (depth > deepest) {
      open = true;
      return;
    }
    depth += 1;
    for (let child = node.firstChild; child !== null; child = child.nextSibling) visit(child, sure);
    depth -= 1;
  };

  /** A target of an assignment: names in it are bound, what it indexes or calls is read. */
  const target = (node: SyntaxNode, sure: boolean): void => {
    if (node.name === 'VariableName') bound.add(nameOf(node));
    else if (node.name === 'MemberExpression' || node.name === 'TypeDef') visit(node, sure);
    else for (let child = node.firstChild; child !== null; child = child.nextSibling) target(child, sure);
  };

  const visitAssignment = (node: SyntaxNode, sure: boolean): void => {
    const end = node.getChildren('AssignOp').at(-1)?.from ?? node.to;
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      if (child.from < end) target(child, sure);
      else visit(child, sure);
    }
  };

  /** Names between `for` and `in`, and behind `as`, are bound. */
  const visitBinding = (node: SyntaxNode, sure: boolean): void => {
    let binding = false;
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      if (child.name === 'for' || child.name === 'as') binding = true;
      else if (child.name === 'in' || child.name === 'Body' || child.name === ':') binding = false;
      if (binding) target(child, sure);
      else visit(child, sure);
      if (child.name === ',' && node.name === 'WithStatement') binding = false;
    }
  };

  const visitImport = (node: SyntaxNode): void => {
    if (node.getChild('*') !== null) open = true;
    const from = node.getChild('from');
    let afterImport = from === null;
    let atModule = true;
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      if (child.name === 'import') afterImport = true;
      // `from . import x` names no module that could be refused.
      if (from !== null && !afterImport && child.name === '.') atModule = false;
      if (child.name === ',' && from === null) atModule = true;
      if (child.name === 'as' && from === null) atModule = false;
      if (child.name !== 'VariableName') continue;
      if (atModule && (from === null || !afterImport)) {
        imported.add(nameOf(child));
        atModule = false;
      }
      if (afterImport) bound.add(nameOf(child));
    }
  };

  const visitParameters = (node: SyntaxNode): void => {
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      if (child.name === 'VariableName' && child.prevSibling?.name !== 'AssignOp') bound.add(nameOf(child));
      else visit(child, false);
    }
  };

  const visitArguments = (node: SyntaxNode, sure: boolean): void => {
    // `sum(x for x in y)` has no node of its own for the comprehension.
    if (node.getChild('for') !== null) {
      visitBinding(node, false);
      return;
    }
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      // `end=''` names a parameter, not a variable.
      if (child.name === 'VariableName' && child.nextSibling?.name === 'AssignOp') continue;
      visit(child, sure);
    }
  };

  const visitDefinition = (node: SyntaxNode): void => {
    const name = node.getChild('VariableName');
    if (name !== null) bound.add(nameOf(name));
    visitChildren(node, false);
  };

  const visit = (node: SyntaxNode, before: boolean): void => {
    const sure = before && !uncertain.has(node.name) && !node.name.endsWith('ComprehensionExpression');
    if (node.name === 'VariableName') {
      const name = nameOf(node);
      if (opening.has(name)) open = true;
      if (sure) read.add(name);
    } else if (node.name === 'AssignStatement') visitAssignment(node, sure);
    else if (node.name === 'ImportStatement') visitImport(node);
    else if (node.name === 'ParamList') visitParameters(node);
    else if (node.name === 'ArgList') visitArguments(node, sure);
    else if (node.name === 'FunctionDefinition' || node.name === 'ClassDefinition') visitDefinition(node);
    else if (node.name === 'NamedExpression') {
      const name = node.getChild('VariableName');
      if (name !== null) bound.add(nameOf(name));
      visitChildren(node, false);
    } else if (node.name === 'ScopeStatement' || node.name.endsWith('Pattern')) target(node, false);
    else if (bindsInside(node.name)) visitBinding(node, sure);
    // `a and b`, `a or b`: the second may never be looked at.
    else if (node.name === 'BinaryExpression' && (node.getChild('and') ?? node.getChild('or')) !== null)
      visitChildren(node, false);
    else visitChildren(node, sure);
  };
  visit(tree.topNode, true);
  return { bound, read, imported, open };
}

function bindsInside(name: string): boolean {
  return (
    name === 'ForStatement' ||
    name === 'WithStatement' ||
    name === 'TryStatement' ||
    name.endsWith('ComprehensionExpression')
  );
}
