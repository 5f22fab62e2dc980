// JSON that no fixture has and that breaks readers: put into a log as text, since JSON.stringify would not write it.
import type { Random } from '../unit/readers/mutate.ts';

const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));
const pick = <T>(random: Random, values: readonly T[]): T => {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
};

/** Large ones are rare: a case with one costs as much as a hundred others. */
const depths = [5, 10, 20, 100, 500, 511, 513, 600, 2_000, 2_000, 20_000, 100_000];
const lengths = [1, 1, 20, 20, 300, 300, 1_000, 1_000, 5_000, 20_000, 100_000, 1_000_000];

const nested = (random: Random): string => {
  const depth = pick(random, depths);
  if (random() < 0.5) return '['.repeat(depth) + ']'.repeat(depth);
  return `${'{"content":'.repeat(depth)}1${'}'.repeat(depth)}`;
};

const numbers = [
  'NaN',
  '-Infinity',
  'Infinity',
  '1e999',
  '-1e999',
  '1e-999',
  '-0',
  '123456789012345678901234567890',
  '9007199254740993',
  '-2147483649',
  '4294967296',
  '1.0000000000000002',
  '1e15',
];
const broken = [
  'tru',
  '',
  '01',
  '0x10',
  '[1,]',
  '{"a" 1}',
  '"unterminated',
  'undefined',
  "'x'",
  '{,}',
  '\u00a0',
  '1 2',
];
const objects = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":null,"toString":1,"hasOwnProperty":2,"length":-1}',
  '{"toString":1,"valueOf":null,"toJSON":2}',
  '[{"toString":1,"valueOf":null}]',
  '{"role":"assistant","role":"user","content":"a","content":"b"}',
  '{"a":1,"a":2,"a":{"a":3}}',
  '{"":"","\\u0000":"\\u0000","\\ud800":"\\udfff"}',
  '{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}',
  '{"type":"image_url","image_url":{"url":"data:image/png;base64,@@@@"}}',
  '{"type":"image","image":"data:image/png;base64,"}',
  '{"type":"tool_use","id":"x","name":null,"input":"{"}',
  '{"type":"tool_result","tool_use_id":"nobody","content":[{"type":"tool_result","content":[]}]}',
  '{"role":"tool","tool_call_id":{"a":1},"content":{"b":[]}}',
  '{"function":{"name":{},"arguments":[]},"id":5}',
  '{"first":-1,"count":1e300}',
];
const texts = [
  '\\ud800',
  '\\udc00\\ud800',
  '\\u0000\\u0000',
  '\\r\\n\\r',
  '\\u2028\\u2029',
  '\\ufeff',
  'attachment://x',
  'data:image/png;base64,iVBORw0KGgo=',
  'data:;base64',
  '../../../etc/passwd',
  '[object Object]',
];
const repeated = [
  'x',
  '<think>',
  '</think>',
  '<tool_call>',
  '<tool_call>{\\"name\\":',
  '<|im_start|>assistant\\n',
  '<|image_pad|>',
  '<tool_response>',
  '```python\\n',
  '\\\\boxed{',
  '<answer>',
  'Action:',
  'user\\n',
  '\\n',
  '\\\\',
  '\\"',
  '{',
  '\\u0000',
  '\\ud83d',
];

/** One JSON text, or something that is none. */
export function rawValue(random: Random): string {
  const kind = random();
  if (kind < 0.12) return nested(random);
  if (kind < 0.3) return pick(random, numbers);
  if (kind < 0.36) return pick(random, broken);
  if (kind < 0.56) return pick(random, objects);
  if (kind < 0.68) return `"${pick(random, texts)}"`;
  if (kind < 0.84) {
    const text = pick(random, repeated);
    return `"${text.repeat(Math.ceil(pick(random, lengths) / text.length / between(random, 1, 8)))}"`;
  }
  if (kind < 0.9) return `[${'0,'.repeat(pick(random, [3, 10, 100, 2_000, 100_000]))}0]`;
  if (kind < 0.94) return `[${'{},'.repeat(pick(random, [3, 10, 100, 2_000, 30_000]))}{}]`;
  if (kind < 0.97) return `[${`${pick(random, objects)},`.repeat(pick(random, [2, 10, 50, 1_000]))}null]`;
  let text = '{"name":"f","arguments":{}}';
  for (let level = between(random, 1, 8); level > 0; level--) text = JSON.stringify(text);
  return text;
}
