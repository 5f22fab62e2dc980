/**
 * Crop boxes of calls: from Python (`image_1.crop((…))`, slices of arrays) and from the arguments of zoom tools (`bbox`),
 * absolute or relative. Expressions in the image's width and height are worked out for two made-up sizes: a box that is
 * the same share of both is relative, whatever the image. Nothing is run.
 * Leaves out images made by the code itself: their size and origin are unknown.
 */
import type { SyntaxNode } from '@lezer/common';
import { asArray, asNumber, isObject, type Json } from '../../base/json.ts';
import { stringValue, type PythonCode } from './pythonCode.ts';

/** A box with its corners as shares of width and height (0 to 1), or in pixels where the image's size is not known. */
export interface Box {
  readonly unit: 'share' | 'pixel';
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** One crop of a known image. */
export interface Crop {
  /** What names the image in the call: a variable, a path, an index. */
  readonly image: string;
  readonly box: Box;
  /** Where the box stands in the code (0 and 0 for a zoom tool), so that the rest can be compared. */
  readonly first: number;
  readonly end: number;
}

/** Size of a picture in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

const promptImage = /^(?:image|img|input_image|pil_image)(?:_?\d+)?$/u;
/** Two sizes without a common factor: what is equal for both is equal for all. */
const trialSizes: readonly [Size, Size] = [
  { width: 1009, height: 757 },
  { width: 641, height: 1213 },
];

/** Area of two boxes' intersection over that of their union, 0 to 1; null where their units differ or one has no area. */
export function intersectionOverUnion(one: Box, other: Box): number | null {
  if (one.unit !== other.unit) return null;
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  const shared = Math.max(0, width) * Math.max(0, height);
  const union = area(one) + area(other) - shared;
  return area(one) > 0 && area(other) > 0 ? shared / union : null;
}

/** Share of its image that a box covers, 0 to 1; null where that needs a size that is not known. */
export function coverage(box: Box, size: Size | null): number | null {
  if (box.unit === 'share') return area(clamp(box, 1, 1));
  if (size === null) return null;
  return area(clamp(box, size.width, size.height)) / (size.width * size.height);
}

function clamp(box: Box, width: number, height: number): Box {
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  return {
    unit: box.unit,
    left: within(box.left, width),
    top: within(box.top, height),
    right: within(box.right, width),
    bottom: within(box.bottom, height),
  };
}

function area({ left, top, right, bottom }: Box): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

const boxNames = ['bbox', 'bbox_2d', 'box', 'crop_box', 'region', 'bounding_box', 'coordinates'] as const;
const imageNames = [
  'image',
  'image_id',
  'image_idx',
  'image_index',
  'img_idx',
  'target_image',
  'image_path',
  'path',
] as const;

/** The crop of a zoom tool's arguments; null where they hold no box of four numbers. */
export function cropOfArguments(given: Json): Crop | null {
  if (!isObject(given)) return null;
  for (const name of boxNames) {
    const numbers = asArray(given[name]).flatMap((value) => asNumber(value) ?? []);
    if (numbers.length !== 4) continue;
    // Boxes in thousandths (Qwen2) look like pixels; both compare among themselves, neither claims a share of the image.
    const unit = numbers.every((value) => value >= 0 && value <= 1) ? 'share' : 'pixel';
    const image = imageNames.map((key) => given[key]).find((value) => value !== undefined && value !== null);
    return { image: JSON.stringify(image ?? 'the image'), box: named(unit, numbers), first: 0, end: 0 };
  }
  return null;
}

/** All crops of prompt images that a piece of Python makes, in its order; null where it crops what it made itself. */
export function cropsOfPython(code: PythonCode): readonly Crop[] | null {
  if (!code.valid || !/\.crop\s*\(|\[[^\]]*:[^\]]*,[^\]]*:/u.test(code.text)) return [];
  const names = bindingsOf(code);
  const crops: Crop[] = [];
  let unknown = false;
  code.tree.iterate({
    enter: ({ name, node }) => {
      const found =
        name === 'CallExpression'
          ? cropCall(node, code.text)
          : name === 'MemberExpression'
            ? slice(node, code.text)
            : null;
      if (found === null) return;
      const image = names.images.get(found.image) ?? (promptImage.test(found.image) ? found.image : null);
      const box = image === null ? null : boxOf(found.corners, code.text, names);
      if (image === null || box === null) unknown = true;
      else crops.push({ image, box, first: found.first, end: found.end });
    },
  });
  return unknown ? null : crops;
}

interface FoundCrop {
  readonly image: string;
  /** left, top, right, bottom; null for the image's edge. */
  readonly corners: readonly (SyntaxNode | null)[];
  readonly first: number;
  readonly end: number;
}

function cropCall(node: SyntaxNode, text: string): FoundCrop | null {
  const callee = node.firstChild;
  const property = callee?.name === 'MemberExpression' ? callee.getChild('PropertyName') : null;
  const base = callee?.firstChild;
  const given = node.getChild('ArgList');
  if (property === null || !base || given === null || text.slice(property.from, property.to) !== 'crop') return null;
  const tuple = given.getChild('TupleExpression') ?? given.getChild('ArrayExpression');
  const corners = tuple === null ? [] : expressions(tuple);
  return {
    image: text.slice(base.from, base.to),
    corners: corners.length === 4 ? corners : [],
    first: given.from,
    end: given.to,
  };
}

/** `array[top:bottom, left:right]`. */
function slice(node: SyntaxNode, text: string): FoundCrop | null {
  const base = node.firstChild;
  const inner = text.slice(base?.to ?? node.to, node.to);
  if (base?.name !== 'VariableName' || !/^\s*\[[^[\]]*:[^[\]]*,[^[\]]*:/u.test(inner)) return null;
  const parts: (SyntaxNode | null)[] = [];
  let value: SyntaxNode | null = null;
  for (let child = base.nextSibling; child !== null; child = child.nextSibling) {
    if (child.name === ':' || child.name === ',' || child.name === ']') {
      parts.push(value);
      value = null;
    } else if (child.name !== '[') value = child;
  }
  const [top = null, bottom = null, left = null, right = null] = parts;
  return { image: text.slice(base.from, base.to), corners: [left, top, right, bottom], first: base.to, end: node.to };
}

function expressions(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (!['(', ')', '[', ']', ',', 'Comment'].includes(child.name)) found.push(child);
  }
  return found;
}

interface Names {
  /** Variable → expression it was bound to last, before it is used. */
  readonly values: ReadonlyMap<string, SyntaxNode>;
  /** Variables bound to an image's width or height by `w, h = image.size` (or `h, w = array.shape[:2]`). */
  readonly sides: ReadonlyMap<string, 'width' | 'height'>;
  /** Variables bound to an image of the prompt or of a file → what names that image. */
  readonly images: ReadonlyMap<string, string>;
}

function bindingsOf({ tree, text }: PythonCode): Names {
  const values = new Map<string, SyntaxNode>();
  const sides = new Map<string, 'width' | 'height'>();
  const images = new Map<string, string>();
  const textOf = (node: SyntaxNode): string => text.slice(node.from, node.to);
  tree.iterate({
    enter: ({ name, node }) => {
      if (name !== 'AssignStatement') return;
      const operator = node.getChild('AssignOp');
      const value = operator?.nextSibling ?? null;
      const targets = node.getChildren('VariableName', null, 'AssignOp').map(textOf);
      const [target, second] = targets;
      if (value === null || target === undefined) return;
      const source = textOf(value);
      if (second !== undefined && /\.size$/u.test(source)) {
        sides.set(target, 'width').set(second, 'height');
      } else if (second !== undefined && /\.shape\b/u.test(source)) {
        sides.set(target, 'height').set(second, 'width');
      } else if (second === undefined) {
        values.set(target, value);
        const opened = /^Image\.open\(\s*((?:"[^"]*"|'[^']*'))\s*\)(?:\.convert\([^)]*\))?$/u.exec(source)?.[1];
        const copied = /^(?:np\.(?:as)?array\()?([A-Za-z_]\w*)\)?(?:\.copy\(\)|\.convert\([^)]*\))?$/u.exec(
          source,
        )?.[1];
        if (opened !== undefined) images.set(target, `file ${stringValue(opened) ?? opened}`);
        else if (copied !== undefined && promptImage.test(copied)) images.set(target, copied);
      }
    },
  });
  return { values, sides, images };
}

function boxOf(corners: readonly (SyntaxNode | null)[], text: string, names: Names): Box | null {
  if (corners.length !== 4) return null;
  const trials = trialSizes.map((size) =>
    corners.map((corner, at) =>
      corner === null
        ? ([0, 0, size.width, size.height][at] ?? Number.NaN)
        : evaluate(corner, { text, names, size, depth: 0 }),
    ),
  );
  const [first = [], second = []] = trials;
  if (first.some((value) => !Number.isFinite(value))) return null;
  if (first.every((value, at) => value === second[at])) return named('pixel', first);
  const shares = trials.map((trial, at) =>
    trial.map(
      (value, side) =>
        value / (side % 2 === 0 ? trialSizes[at === 0 ? 0 : 1].width : trialSizes[at === 0 ? 0 : 1].height),
    ),
  );
  // Rounding to whole pixels moves a corner by less than half a percent of these sizes.
  const steady = shares[0]?.every((value, side) => Math.abs(value - (shares[1]?.[side] ?? Number.NaN)) < 0.005);
  return steady === true && shares[0] ? named('share', shares[0]) : null;
}

function named(unit: Box['unit'], [left = 0, top = 0, right = 0, bottom = 0]: readonly number[]): Box {
  return { unit, left, top, right, bottom };
}

interface Scope {
  readonly text: string;
  readonly names: Names;
  readonly size: Size;
  /** Bindings followed so far: code may bind names in a circle. */
  readonly depth: number;
}

/** The value of an arithmetic expression; NaN for anything else. */
function evaluate(node: SyntaxNode, scope: Scope): number {
  const source = scope.text.slice(node.from, node.to);
  if (node.name === 'Number') return Number(source.replaceAll('_', ''));
  if (scope.depth > 20) return Number.NaN;
  const below = { ...scope, depth: scope.depth + 1 };
  const inner = expressions(node);
  if (node.name === 'ParenthesizedExpression') return inner[0] ? evaluate(inner[0], below) : Number.NaN;
  if (node.name === 'UnaryExpression')
    return source.startsWith('-') && inner[1] ? -evaluate(inner[1], below) : Number.NaN;
  if (node.name === 'VariableName') {
    const side = scope.names.sides.get(source);
    if (side !== undefined) return scope.size[side];
    const value = scope.names.values.get(source);
    return value === undefined ? Number.NaN : evaluate(value, below);
  }
  if (node.name === 'MemberExpression') {
    if (/\.(?:width|size\s*\[\s*0\s*\]|shape\s*\[\s*1\s*\])$/u.test(source)) return scope.size.width;
    return /\.(?:height|size\s*\[\s*1\s*\]|shape\s*\[\s*0\s*\])$/u.test(source) ? scope.size.height : Number.NaN;
  }
  if (node.name === 'CallExpression') {
    const given = node.getChild('ArgList');
    const values = given === null ? [] : expressions(given).map((value) => evaluate(value, below));
    return callFunction(scope.text.slice(node.from, node.firstChild?.to ?? node.from), values);
  }
  if (node.name !== 'BinaryExpression') return Number.NaN;
  const [left, operator, right] = inner;
  if (!left || !operator || !right) return Number.NaN;
  return calculate(evaluate(left, below), scope.text.slice(operator.from, operator.to), evaluate(right, below));
}

function callFunction(name: string, values: readonly number[]): number {
  const [first = Number.NaN] = values;
  if (name === 'int' || name === 'math.floor') return Math.trunc(first);
  if (name === 'round') return Math.round(first);
  if (name === 'float') return first;
  if (name === 'min') return Math.min(...values);
  return name === 'max' ? Math.max(...values) : Number.NaN;
}

function calculate(left: number, operator: string, right: number): number {
  if (operator === '+') return left + right;
  if (operator === '-') return left - right;
  if (operator === '*') return left * right;
  if (operator === '/') return left / right;
  return operator === '//' ? Math.floor(left / right) : Number.NaN;
}
