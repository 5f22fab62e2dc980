// The tool calls of a generated Metis rollout: what the policy writes, what comes back, and the logged entry of each
// (formats.md 1.3 and 1.4). A kind a behaviour that a viewer has to tell apart: right, failed, malformed, repeated …
// Left out: the record around them and the file (metisRun.mjs).
import { integer, PAD, pick, pictureUri, reasoningFill, searchFill } from './metisText.mjs';

/**
 * What a call is. `repeat` writes the last python call again, `deduplicated` is a second image_search that the tool
 * refuses, `timeout` ends the rollout, `cut` is written but never sent.
 * @typedef {'python' | 'verify' | 'failed' | 'malformed' | 'repeat' | 'text_search' | 'image_search' | 'deduplicated' | 'timeout' | 'cut'} CallKind
 */

/**
 * One call: the policy's turn, the observation as the model saw it (null: none came), and the logged entry.
 * @typedef {object} Call
 * @property {string} action
 * @property {string | null} seen
 * @property {Record<string, unknown> | null} entry
 */

/**
 * What all calls of one rollout share.
 * @typedef {object} CallContext
 * @property {() => number} random
 * @property {import('./metisText.mjs').Question} question
 * @property {number} offset what a wrong rollout adds to c; 0 in a right one
 * @property {boolean} images whether pictures are inlined as base64
 * @property {string} trajectory 32 hex digits
 * @property {number} fill characters to add to each reasoning and each search result
 */

/** Longest observation the model sees, in characters; the entry keeps all of it. */
export const SEEN_LIMIT = 20_000;

const TOOLS = ['python', 'text_search', 'image_search'];

/** @param {string} name @param {Record<string, string>} args @returns {string} the body of a tool call as Qwen writes it */
const body = (name, args) => {
  const list = Object.entries(args).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{"name": "${name}", "arguments": {${list.join(', ')}}}`;
};

/** @param {string} stdout @param {string} stderr @returns {string} */
const ran = (stdout, stderr) =>
  `Code execution result:\nstdout:\n\`\`\`\n${stdout}\n\`\`\`\n\nstderr:\n\`\`\`\n${stderr}\n\`\`\``;

/** @param {number} value @returns {number} a time in ms with two digits after the point */
const round = (value) => Math.round(value * 100) / 100;

/** @param {CallContext} context @param {string} name @returns {string} */
function pythonCode({ question: { a, b, c }, offset }, name) {
  if (name === 'verify')
    return `# check\nfrom fractions import Fraction\nprint(int(Fraction(${a}) * ${b} + ${c + offset}))`;
  if (name === 'failed') return `a = ${a}\nprint(a * b + ${c + offset})`;
  return `a = ${a}\nb = ${b}\nprint(a * b + ${c + offset})`;
}

const thoughts = {
  python: 'I will compute it with the tool.',
  repeat: 'I run it once more to be sure.',
  verify: 'I check the result in another way.',
  failed: 'I will compute it with the tool.',
  malformed: 'I will call the tool.',
  text_search: 'I need the number of feet in a mile.',
  image_search: 'I look for the product in the photo.',
  deduplicated: 'I search for the photo again.',
  timeout: 'This may take a while.',
  cut: 'One more check.',
};

/**
 * @param {CallKind} kind
 * @param {CallContext} context
 * @returns {string} body of the tool_call block
 */
function written(kind, context) {
  const { question } = context;
  switch (kind) {
    case 'malformed':
      return `{"name": "python", "arguments": {"code": "print(${question.a} * ${question.b}"`;
    case 'text_search':
      return body('text_search', { query: 'how many feet are in a mile' });
    case 'image_search':
    case 'deduplicated':
      return body('image_search', {});
    case 'timeout':
      return body('python', { code: 'while True:\n    pass' });
    default:
      return body('python', { code: pythonCode(context, kind) });
  }
}

/**
 * What the tool returned: the first keys of the entry, in the order of the writer.
 * @param {CallKind} kind
 * @param {CallContext} context
 * @returns {Record<string, unknown>}
 */
function returned(kind, context) {
  const { random, question, offset, images, fill } = context;
  const picture = (/** @type {number} */ low, /** @type {number} */ high) =>
    images ? [pictureUri(integer(random, low, high) * 16)] : [];
  switch (kind) {
    case 'malformed':
      return { obs: '', invalid_reason: 'No valid tool found for action', available_tools: TOOLS };
    case 'timeout':
      return { obs: 'Tool call timeout after 400 seconds.' };
    case 'failed': {
      const error = `Traceback (most recent call last):\n  File "<string>", line 2, in <module>\nNameError: name 'b' is not defined`;
      return { obs: ran('', error), image: [], metrics: { code_success: false, code_lines: 2 }, timeout: false };
    }
    case 'text_search': {
      const first = 'Page 1. [Title: Mile](Link: https://example.org/mile)\nSnippet: One mile is 5280 feet.\n\n';
      const second =
        'Page 2. [Title: Foot](Link: https://example.org/foot)\nSnippet: A foot is 12 inches; a mile has 5280 of them.\n\n';
      const obs = `A Google search for 'how many feet are in a mile' found 2 results:\n\n## Web Results\n${first}${second}${searchFill(random, fill)}\n`;
      return { obs, metrics: { search_success: true }, timeout: false };
    }
    case 'image_search': {
      const obs =
        'A Google image search for the image found 1 results:\n\n## Web Results\n1. <image>\n[title] A price tag\n';
      return { obs, image: picture(3, 6), metrics: { search_success: true }, timeout: false };
    }
    case 'deduplicated': {
      const obs = 'The image search for this image was done before. Do not call image_search again.';
      return { obs, image: [], metrics: { deduplicated: true }, timeout: false };
    }
    default: {
      const value = question.a * question.b + question.c + offset;
      const shown = images && question.kind === 'photo' && kind === 'python';
      const obs = shown ? `${ran(String(value), '')}\n\nImages:\n` : ran(String(value), '');
      const metrics = { code_success: true, code_lines: 3 };
      return { obs, image: shown ? picture(4, 12) : [], metrics, timeout: false };
    }
  }
}

/**
 * The observation as the model saw it: placeholders put in, and only the tail of a long one.
 * @param {Record<string, unknown>} answer
 * @returns {string}
 */
function seenBy(answer) {
  const text = String(answer['obs']);
  const pictures = Array.isArray(answer['image']) ? answer['image'].length : 0;
  const pads = `<|vision_start|>${PAD.repeat(64)}<|vision_end|>`;
  if (text.includes('<image>')) return text.replaceAll('<image>', pads);
  if (pictures > 0) return text + pads.repeat(pictures);
  return text.length > SEEN_LIMIT ? `${text.slice(-SEEN_LIMIT)}...(truncated)` : text;
}

/**
 * One call of a rollout.
 * @param {CallKind} kind
 * @param {CallContext} context
 * @param {Call | undefined} lastPython the call a `repeat` writes again
 * @returns {Call}
 */
export function makeCall(kind, context, lastPython) {
  const { random, fill, trajectory } = context;
  const extra = fill > 0 ? `\n${reasoningFill(random, fill)}` : '';
  const again = kind === 'repeat' && lastPython?.entry ? lastPython : undefined;
  const block = `<tool_call>\n${written(kind, context)}\n</tool_call>`;
  const action = `<reason>${thoughts[kind]}${extra}</reason>\n${block}`;
  if (kind === 'cut') return { action, seen: null, entry: null };
  const answer = again?.entry
    ? { obs: again.entry['obs'], image: again.entry['image'], metrics: again.entry['metrics'], timeout: false }
    : returned(kind, context);
  const stopped = kind === 'timeout';
  const valid = stopped || kind === 'malformed' ? 0 : 1;
  const processing = stopped ? 400_000 : round(kind.includes('search') ? 600 + random() * 1200 : 40 + random() * 600);
  const entry = {
    ...answer,
    reward: null,
    trajectory_id: trajectory,
    action,
    is_last_step: false,
    done: stopped ? 1 : 0,
    valid_action: valid,
    finish: false,
    invalid_reason: kind === 'malformed' ? 'No valid tool found for action' : null,
    processing_time_ms: processing,
    success: !stopped,
    queue_time_ms: round(random() * 4),
    'time awaiting response_ms': round(random()),
    client_queued_ms: 0,
    client_conn_create_ms: round(random()),
    client_request_send_ms: round(random() * 2),
    request_start_ms: 918_000_000 + round(random() * 900_000),
    response_read_ms: round(random()),
    response_size_mb: pick(random, [0.0021, 0.0047, 0.0182]),
    'X-Process-Time': round(processing + 1) / 1000,
    session_request_time: round(processing + 22) / 1000,
    interact_time_ms: round(processing + 28),
  };
  return { action, seen: stopped ? null : seenBy(answer), entry };
}
