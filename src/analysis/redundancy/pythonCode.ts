/**
 * Python code by its meaning: a text of its tokens for comparing, and whether running it twice is the same as once.
 * Parsed by @lezer/python; nothing is run. Owned by the redundancy rules.
 * Leaves out types and data flow: what it cannot show to be idempotent is not (hdpo.md section 3, rule `repeat`).
 */
import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@lezer/python';

/** A parsed piece of Python. */
export interface PythonCode {
  readonly text: string;
  readonly tree: Tree;
  /** False where the parser met something that is no Python (or cut code): then nothing is claimed about it. */
  readonly valid: boolean;
}

/** Longer code is not parsed: no policy writes it, and one call must not hold up the reading of a log. */
const longestCode = 100_000;

/** Code that was parsed last, by its text: siblings on one prompt mostly write the same. Bounded, and never seen outside. */
const recent = new Map<string, PythonCode>();
const recentKept = 500;
const longestKept = 2_000;

/** Parses Python; null for code that is too long to look at. */
export function parsePython(text: string): PythonCode | null {
  if (text.length > longestCode) return null;
  const known = recent.get(text);
  if (known !== undefined) return known;
  const code = parsed(text);
  if (text.length > longestKept) return code;
  recent.set(text, code);
  const oldest = recent.keys().next();
  if (recent.size > recentKept && !oldest.done) recent.delete(oldest.value);
  return code;
}

function parsed(text: string): PythonCode {
  const tree = parser.parse(text);
  let valid = true;
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) valid = false;
      return valid;
    },
  });
  return { text, tree, valid };
}

/** The code without comments, blank lines, spacing and quote style: equal for code that does the same by its tokens. */
export function canonicalPython(code: PythonCode): string {
  const out: string[] = [];
  code.tree.iterate({
    enter: (node) => {
      if (node.name === 'Comment') return false;
      if (node.name === 'Body') out.push('{');
      // The text of an f-string stands between its children.
      if (node.name === 'FormatString' || node.name === 'String' || node.name === 'ContinuedString') {
        out.push(canonicalString(code.text.slice(node.from, node.to)));
        return false;
      }
      if (node.node.firstChild === null && node.to > node.from) out.push(code.text.slice(node.from, node.to));
      return true;
    },
    leave: (node) => {
      if (node.name === 'Body') out.push('}');
      if (isStatement(node.name)) out.push('\n');
    },
  });
  return out.join(' ');
}

/** The value of a plain string literal; null for bytes, f-strings and anything else. */
export function stringValue(literal: string): string | null {
  const match = /^(?:[rRuU]?)("""|'''|"|')([\s\S]*)\1$/u.exec(literal);
  return match?.[2] ?? null;
}

/** One quote style, where the content allows it. */
function canonicalString(literal: string): string {
  const match = /^([a-zA-Z]*)("""|'''|"|')([\s\S]*)\2$/u.exec(literal);
  const [, prefix = '', , content = ''] = match ?? [];
  if (match === null || content.includes("'") || content.includes('"') || content.includes('\n')) return literal;
  return `${prefix.toLowerCase()}'${content}'`;
}

function isStatement(name: string): boolean {
  return name.endsWith('Statement') || name === 'FunctionDefinition' || name === 'ClassDefinition';
}

/** Methods that change the object they are called on, or write somewhere. */
const mutating = new Set(
  `append extend insert remove pop popitem clear sort reverse add discard update setdefault write writelines truncate
  save savefig to_csv to_json to_parquet to_pickle to_excel dump imsave imwrite mkdir makedirs rmdir unlink rename replace_file
  commit execute executemany put post patch delete send sendall connect seed shuffle fill itemset resize_ setflags
  drop_duplicates_ backward step zero_grad fit partial_fit train load_state_dict next readline read paste putpixel putdata
  thumbnail rectangle line text ellipse polygon`.split(/\s+/u),
);
/** Functions and modules whose results change from run to run, or that reach outside. */
const unsteady = new Set(
  `random randint randrange choice choices sample uniform normalvariate secrets uuid time datetime perf_counter monotonic
  sleep requests urllib urlopen http httpx aiohttp socket subprocess popen system input exec eval globals locals setattr
  delattr next iter getpass`.split(/\s+/u),
);
const writeModes = /^[rbt]*[wax+][rbt+]*$/u;

/**
 * True where the code can be shown to leave nothing behind that a second run would see: no augmented assignment, no
 * name read before it is assigned and later rebound, no mutating method, no writes, random, time, network or input.
 */
export function isIdempotent(code: PythonCode): boolean {
  const known = idempotent.get(code);
  if (known !== undefined) return known;
  const found = code.valid && !changesSomething(code) && !rebindsWhatItRead(code);
  idempotent.set(code, found);
  return found;
}

/** A line of the plainest code there is: a name bound to arithmetic, or such values printed; no quote, bracket or dot but in numbers. */
const plainLine = /^(?:([A-Za-z_]\w*) = )?(print)?([\w\s+\-*/%(),]|\d\.\d)*$/u;
const pureImport = /^from (?:math|fractions|decimal|statistics) import (\w+(?:, \w+)*)$/u;
const pureCalls = new Set(['print', 'int', 'float', 'abs', 'round', 'min', 'max', 'sum', 'str', 'pow', 'divmod']);

/**
 * True for arithmetic that needs no parser to be idempotent: each name bound once and before it is read, no call but of pure
 * functions, built in or of a module of mathematics. Most code that a policy repeats is of this kind; anything else is parsed. False proves nothing.
 */
export function isPlainArithmetic(text: string): boolean {
  if (text.length > longestPlain) return false;
  const bound = new Set<string>();
  const imported = new Set<string>();
  for (const written of text.split('\n')) {
    const line = written.trimEnd();
    if (line === '' || line.startsWith('#')) continue;
    const names = pureImport.exec(line)?.[1];
    if (names !== undefined) {
      for (const name of names.split(', ')) imported.add(name);
      continue;
    }
    const target = plainLine.exec(line)?.[1];
    if (target === undefined && !line.startsWith('print(')) return false;
    if (!plainLine.test(line)) return false;
    const value = target === undefined ? line : line.slice(target.length);
    for (const [name, called] of value.matchAll(/[A-Za-z_]\w*(\s*\()?/gu)) {
      const callee = called === undefined ? null : name.slice(0, -called.length);
      const isKnown = callee === null ? bound.has(name) : pureCalls.has(callee) || imported.has(callee);
      if (!isKnown) return false;
    }
    if (target === undefined) continue;
    if (bound.has(target) || imported.has(target) || pureCalls.has(target)) return false;
    bound.add(target);
  }
  return true;
}

const longestPlain = 500;

/** What was found of code that is still remembered. */
const idempotent = new WeakMap<PythonCode, boolean>();

function changesSomething({ text, tree }: PythonCode): boolean {
  let changes = false;
  tree.iterate({
    enter: ({ name, node, from, to }) => {
      if (changes) return false;
      if (name === 'UpdateStatement' || name === 'DeleteStatement' || name === 'ScopeStatement') changes = true;
      if (name === 'YieldStatement' || name === 'AwaitExpression') changes = true;
      if (name === 'VariableName' || name === 'PropertyName') changes ||= unsteady.has(text.slice(from, to));
      // The standard file draws on a copy, but a shell line or a notebook's magic does anything.
      if (name === 'CallExpression') changes ||= isMutatingCall(node, text);
      return !changes;
    },
  });
  return changes || /^[ \t]*[!%]/mu.test(text);
}

function isMutatingCall(call: SyntaxNode, text: string): boolean {
  const callee = call.firstChild;
  const argumentsNode = call.getChild('ArgList');
  const given = argumentsNode === null ? '' : text.slice(argumentsNode.from, argumentsNode.to);
  if (/\binplace\s*=\s*True\b/u.test(given)) return true;
  if (callee?.name === 'MemberExpression') {
    const property = callee.getChild('PropertyName');
    return property !== null && mutating.has(text.slice(property.from, property.to));
  }
  if (callee?.name !== 'VariableName') return false;
  const name = text.slice(callee.from, callee.to);
  return name === 'open' ? opensForWriting(argumentsNode, text) : false;
}

function opensForWriting(argumentsNode: SyntaxNode | null, text: string): boolean {
  const literals = argumentsNode?.getChildren('String') ?? [];
  return literals.slice(1).some((node) => writeModes.test(stringValue(text.slice(node.from, node.to)) ?? 'w'));
}

/** `x = x + 1` and the like: what the second run reads is what the first one wrote. */
function rebindsWhatItRead({ text, tree }: PythonCode): boolean {
  const assigned = new Set<string>();
  const readFirst = new Set<string>();
  let rebinds = false;
  const read = (name: string): void => {
    if (!assigned.has(name)) readFirst.add(name);
  };
  const assign = (name: string): void => {
    if (readFirst.has(name)) rebinds = true;
    assigned.add(name);
  };
  const nameOf = (node: SyntaxNode): string => text.slice(node.from, node.to);
  const target = (node: SyntaxNode): void => {
    if (node.name === 'VariableName') assign(nameOf(node));
    else if (node.name === 'MemberExpression') {
      // `y[i] = …` and `o.a = …` change an object: harmless only where this code made it.
      const base = node.firstChild;
      if (base?.name === 'VariableName' && assigned.has(nameOf(base))) visitChildren(node);
      else rebinds = true;
    } else for (let child = node.firstChild; child !== null; child = child.nextSibling) target(child);
  };
  const visit = (node: SyntaxNode): void => {
    if (rebinds) return;
    if (node.name === 'VariableName') read(nameOf(node));
    else if (node.name === 'AssignStatement') visitAssignment(node);
    else if (node.name === 'ForStatement' || node.name.endsWith('ComprehensionExpression')) visitLoop(node);
    else if (node.name === 'ImportStatement')
      for (const name of node.getChildren('VariableName')) assigned.add(nameOf(name));
    else if (node.name === 'ParamList') for (const name of node.getChildren('VariableName')) assigned.add(nameOf(name));
    else if (node.name === 'FunctionDefinition' || node.name === 'ClassDefinition') visitDefinition(node);
    else if (node.name === 'ArgList') visitArguments(node);
    else visitChildren(node);
  };
  const visitChildren = (node: SyntaxNode): void => {
    for (let child = node.firstChild; child !== null; child = child.nextSibling) visit(child);
  };
  const visitAssignment = (node: SyntaxNode): void => {
    const last = node.getChildren('AssignOp').at(-1);
    for (let child = last?.nextSibling ?? null; child !== null; child = child.nextSibling) visit(child);
    const end = last?.from ?? node.to;
    for (let child = node.firstChild; child !== null && child.from < end; child = child.nextSibling) {
      if (child.name !== 'TypeDef' && child.name !== 'AssignOp') target(child);
    }
  };
  const visitLoop = (node: SyntaxNode): void => {
    // What is looped over is read first; the names between `for` and `in` belong to the loop.
    for (const keyword of node.getChildren('for')) {
      for (let child = keyword.nextSibling; child !== null && child.name !== 'in'; child = child.nextSibling) {
        if (child.name === 'VariableName') assigned.add(nameOf(child));
        else for (const name of child.getChildren('VariableName')) assigned.add(nameOf(name));
      }
    }
    visitChildren(node);
  };
  const visitDefinition = (node: SyntaxNode): void => {
    const name = node.getChild('VariableName');
    if (name !== null) assigned.add(nameOf(name));
    visitChildren(node);
  };
  const visitArguments = (node: SyntaxNode): void => {
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      // `end=''` names a parameter, not a variable.
      if (child.name === 'VariableName' && child.nextSibling?.name === 'AssignOp') continue;
      visit(child);
    }
  };
  visit(tree.topNode);
  return rebinds;
}
