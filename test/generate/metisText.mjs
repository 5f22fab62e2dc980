// The words of a generated Metis run: questions, reasoning, tool output, and the long text that fills a line to its size.
// Everything is made up here and says so in the system prompt. Deterministic: the same numbers give the same words.
// Left out: which calls a rollout makes and how a record is put together (metisRun.mjs).
import { deflateSync } from 'node:zlib';

/** System prompt of every record; it says what the data is. */
export const SYSTEM_PROMPT =
  'You may call python, text_search or image_search. Put reasoning in <reason></reason> and the result in <answer></answer>. Generated for tests, not a real training.';

/** The placeholder of one image token; real prompts have hundreds to thousands in a row. */
export const PAD = '<|image_pad|>';

/**
 * A seeded random source (mulberry32): numbers in [0, 1).
 * @param {number} seed any 32-bit integer
 * @returns {() => number}
 */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Mixes integers into one 32-bit seed.
 * @param {...number} parts
 * @returns {number}
 */
export function mixSeed(...parts) {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    hash = Math.imul(hash ^ (part >>> 0), 0x01000193) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
  }
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** @param {() => number} random @param {number} low @param {number} high @returns {number} an integer, both ends included */
export const integer = (random, low, high) => low + Math.floor(random() * (high - low + 1));

/** @template T @param {() => number} random @param {readonly T[]} list @returns {T} */
export const pick = (random, list) => /** @type {T} */ (list[Math.floor(random() * list.length)]);

/**
 * @typedef {object} Question
 * @property {string} text what the user asks; distinct for distinct numbers
 * @property {'compute' | 'convert' | 'photo'} kind
 * @property {number} value the right answer: a·b + c
 * @property {number} a
 * @property {number} b
 * @property {number} c
 * @property {number} difficulty 0 easy … 1 hard
 */

/**
 * Question number `index` of the data set of a seed. `c` holds the index, so no two texts are equal.
 * @param {number} seed
 * @param {number} index
 * @returns {Question}
 */
export function questionAt(seed, index) {
  const random = seededRandom(mixSeed(seed, 77, index));
  const a = integer(random, 12, 98);
  const c = index + 3;
  const difficulty = random();
  const form = integer(random, 0, 7);
  if (form === 0) {
    const text = `How many feet are ${a} miles and ${c} feet?`;
    return { text, kind: 'convert', a, b: 5280, c, value: a * 5280 + c, difficulty };
  }
  const b = integer(random, 12, 98);
  const numbers = { a, b, c, value: a * b + c, difficulty };
  if (form === 1) {
    const text = `The price tag in the photo is for one item. It says ${a}. What do ${b} items cost with ${c} for shipping?`;
    return { text, kind: 'photo', ...numbers };
  }
  if (form === 2) return { text: `${a} × ${b} + ${c} 等于多少？`, kind: 'compute', ...numbers };
  return { text: `What is ${a} × ${b} + ${c}?`, kind: 'compute', ...numbers };
}

const openings = ['First', 'Then', 'So', 'Next', 'To be sure', 'Again', 'In other words', 'On the other hand'];
const claims = [
  'I write the product as tens and ones and add the parts',
  'the tens give most of the value and the ones give the rest',
  'the remainder has to be added at the end, not before',
  'an estimate with round numbers must come out close to the exact value',
  'the last digit of the product follows from the last digits of the factors',
  'the tool would give the same number, and this is short enough to do by head',
  'a sign error here would change the result by twice the last term',
  'the question asks for one number, without a unit',
];

/** About 64 KB of reasoning with a line break every few sentences. */
const prose = (() => {
  const random = seededRandom(20260101);
  const sentences = [];
  for (let size = 0; size < 65536;) {
    const sentence = `${pick(random, openings)}, ${pick(random, claims)} (${integer(random, 10, 99)} and ${integer(random, 10, 99)}).${random() < 0.2 ? '\n' : ' '}`;
    sentences.push(sentence);
    size += sentence.length;
  }
  return sentences.join('');
})();

/** About 64 KB of search results. */
const pages = (() => {
  const random = seededRandom(20260102);
  const parts = [];
  for (let size = 0, page = 3; size < 65536; page += 1) {
    const snippet = prose
      .slice(integer(random, 0, 60000))
      .slice(0, integer(random, 200, 900))
      .replaceAll('\n', ' ');
    const part = `Page ${page}. [Title: Notes on units, part ${page}](Link: https://example.org/units/${page})\nSnippet: ${snippet}\n\n`;
    parts.push(part);
    size += part.length;
  }
  return parts.join('');
})();

/** @param {string} block @param {() => number} random @param {number} characters @returns {string} */
function fill(block, random, characters) {
  if (characters <= 0) return '';
  const start = Math.floor(random() * (block.length / 2));
  if (characters <= block.length - start) return block.slice(start, start + characters);
  const rest = characters - (block.length - start);
  return block.slice(start) + block.repeat(Math.floor(rest / block.length)) + block.slice(0, rest % block.length);
}

/** @param {() => number} random @param {number} characters @returns {string} reasoning of about that many characters */
export const reasoningFill = (random, characters) => fill(prose, random, characters);

/** @param {() => number} random @param {number} characters @returns {string} search results of about that many characters */
export const searchFill = (random, characters) => fill(pages, random, characters);

/** @param {Uint8Array} bytes @returns {number} CRC-32 as PNG uses it */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i += 1) {
    crc ^= /** @type {number} */ (bytes[i]);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** @param {string} type @param {Uint8Array} data @returns {Buffer} one PNG chunk */
function chunk(type, data) {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** @type {Map<number, string>} */
const pictures = new Map();

/**
 * A valid PNG of noise as a data URI, stored uncompressed: about 4 bytes of text for each of width² pixels.
 * @param {number} width pixels, both ways
 * @returns {string}
 */
export function pictureUri(width) {
  const known = pictures.get(width);
  if (known !== undefined) return known;
  const random = seededRandom(width);
  const rows = Buffer.alloc((width * 3 + 1) * width);
  for (let i = 0; i < rows.length; i += 1) rows[i] = i % (width * 3 + 1) === 0 ? 0 : integer(random, 0, 255);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(width, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const body = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 0 })), chunk('IEND', Buffer.alloc(0))];
  const uri = `data:image/png;base64,${Buffer.concat([signature, ...body]).toString('base64')}`;
  pictures.set(width, uri);
  return uri;
}
