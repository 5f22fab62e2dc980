// Writes a Metis-shaped run: `{directory}/{step}.jsonl`, a line a rollout, as the writer of formats.md section 1 would.
// Deterministic for a seed and marked as generated in every system prompt. For tests, `npm start` and the bench:
// memory stays flat whatever the size, since a line is made, written into one buffer and forgotten.
//   node test/generate/metisRun.mjs --out DIR --steps N --prompts P --rollouts R --seed S --line-bytes MIN-MAX [--images] [--first-step K]
// Left out: anything a real policy would say; the words are in metisText.mjs, the calls in metisCalls.mjs.
import { mkdir, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCall } from './metisCalls.mjs';
import { integer, mixSeed, PAD, pick, questionAt, reasoningFill, seededRandom, SYSTEM_PROMPT } from './metisText.mjs';
import { pythonJson } from './pythonJson.mjs';

export { seededRandom } from './metisText.mjs';

/** @typedef {import('./metisRun.d.mts').MetisRecord} MetisRecord */
/** @typedef {import('./metisRun.d.mts').MetisRecordOptions} MetisRecordOptions */
/** @typedef {import('./metisRun.d.mts').MetisRunOptions} MetisRunOptions */
/** @typedef {import('./metisCalls.mjs').CallKind} CallKind */
/** @typedef {import('./metisCalls.mjs').Call} Call */
/** @typedef {{ calls: readonly CallKind[], right: boolean, formatted: boolean }} Plan */

const TURN_LIMIT = 10;
const SEPARATOR = ['<|im_end|>\n<|im_start|>user\n', '<|im_end|>\n<|im_start|>assistant\n'];

/**
 * What a rollout does: over training (progress 0 → 1) it calls less, wastes less and is right more often.
 * @param {() => number} random
 * @param {import('./metisText.mjs').Question} question
 * @param {number} progress
 * @returns {Plan}
 */
function planOf(random, question, progress) {
  const waste = 1 - progress;
  const usesTool = random() < Math.min(0.97, Math.max(0.04, 0.97 - progress * (1.05 - 0.5 * question.difficulty)));
  const hard = 0.7 * question.difficulty * (1 - 0.6 * progress);
  const right = random() < 0.93 - hard - 0.2 * waste + (usesTool ? 0.1 : 0);
  const formatted = random() > 0.12 * waste + 0.01;
  if (!usesTool) return { calls: [], right, formatted };
  if (random() < 0.01) return { calls: ['python', 'timeout'], right: false, formatted: false };
  if (random() < 0.03 * waste + 0.004) {
    const calls = Array.from(
      { length: TURN_LIMIT },
      (_, i) => /** @type {CallKind} */ (i % 3 === 0 ? 'python' : pick(random, ['repeat', 'verify'])),
    );
    return { calls: [...calls, 'cut'], right: false, formatted: false };
  }
  /** @type {CallKind[]} */
  const calls = [];
  if (question.kind === 'photo' && random() < 0.5 * waste + 0.1) {
    calls.push('image_search');
    if (random() < 0.4 * waste + 0.1) calls.push('deduplicated');
  }
  if (question.kind === 'convert' && random() < 0.7) calls.push('text_search');
  if (random() < 0.12 * waste + 0.02) calls.push('malformed');
  if (random() < 0.15 * waste + 0.02) calls.push('failed');
  calls.push('python');
  while (calls.length < TURN_LIMIT && random() < 0.45 * waste + 0.04) calls.push(random() < 0.5 ? 'repeat' : 'verify');
  return { calls, right, formatted };
}

/** @param {Plan} plan @returns {string} */
function stopReason({ calls }) {
  const last = calls.at(-1);
  if (last === 'cut') return 'max_turns_reached';
  return last === 'timeout' ? 'tool_signaled_done' : 'model_chose_to_finish_with_eos=<|im_end|>';
}

/** @param {string} text @returns {number} tokens, about */
const tokens = (text) => Math.ceil(text.length / 4);

/**
 * `verl_tool_metrics` of formats.md 1.5, key order as written.
 * @param {readonly Call[]} calls
 * @param {string} last text of the final turn, '' if there is none
 * @param {string} stop
 * @returns {Record<string, unknown>}
 */
function toolMetrics(calls, last, stop) {
  const sent = calls.flatMap((call) => (call.entry === null ? [] : [call.entry]));
  const turns = calls.length + (last === '' ? 0 : 1);
  const actions = calls.reduce((sum, call) => sum + tokens(call.action), tokens(last));
  const observed = calls.reduce((sum, call) => sum + tokens(call.seen ?? ''), 0);
  const total = (/** @type {string} */ key, scale = 1000) =>
    sent.reduce((sum, entry) => sum + Number(entry[key] ?? 0), 0) / scale;
  const finished = stop.startsWith('model_chose');
  /** @type {Record<string, unknown>} */
  const metrics = {
    num_turns: turns,
    empty_responses: 0,
    valid_action: sent.filter((entry) => entry['valid_action'] === 1).length,
    per_action_length: actions / turns,
    per_obs_length: sent.length === 0 ? 0 : observed / sent.length,
    per_action_logp: 0,
    per_reward_from_tool: 0,
    tool_call_success: sent.length === 0 ? 0 : sent.filter((entry) => entry['success'] === true).length / sent.length,
    traj_actions_length: actions,
    traj_obs_length: observed,
    generated_length: tokens(last === '' ? (calls.at(-1)?.action ?? '') : last),
    is_traj_finished: finished ? 1 : 0,
    valid_traj: stop === 'tool_signaled_done' ? 0 : 1,
    no_loss_on_traj: stop === 'tool_signaled_done',
    retokenization_diff: 0,
    tool_processing_time_sec: total('processing_time_ms'),
    tool_queue_time_sec: total('queue_time_ms'),
    client_queued_time_sec: total('client_queued_ms'),
    client_conn_create_time_sec: total('client_conn_create_ms'),
    client_request_send_time_sec: total('client_request_send_ms'),
    response_read_time_sec: total('response_read_ms'),
    response_size_mb: total('response_size_mb', 1),
    response_await_time_sec: total('time awaiting response_ms'),
    interact_time_time_sec: total('interact_time_ms'),
    session_request_time: total('session_request_time', 1),
    'X-Process-Time_sec': total('X-Process-Time', 1),
    close_traj_time: 2.6e-5,
  };
  const measured = sent.map((entry) => /** @type {Record<string, unknown> | undefined} */ (entry['metrics']));
  if (measured.every((one) => one !== undefined)) {
    for (const name of Object.keys(measured[0] ?? {})) {
      const values = measured.flatMap((one) => (one?.[name] === undefined ? [] : [Number(one[name])]));
      metrics[`tool_avg_${name}`] = values.reduce((sum, value) => sum + value, 0) / values.length;
    }
  }
  for (let turn = 1; turn <= turns; turn += 1) metrics[`turn_${turn}_action_logp`] = 0;
  return metrics;
}

/** Text of the prompt, equal for all rollouts of a question. @param {import('./metisText.mjs').Question} question @param {boolean} images */
function promptOf(question, images) {
  const pads = question.kind === 'photo' ? (images ? 256 + (question.c % 512) : 16) : 0;
  const picture = pads === 0 ? '' : `<|vision_start|>${PAD.repeat(pads)}<|vision_end|>`;
  return `<|im_start|>system\n${SYSTEM_PROMPT}<|im_end|>\n<|im_start|>user\n${picture}${question.text}<|im_end|>\n<|im_start|>assistant\n`;
}

/** @param {readonly Call[]} calls @returns {number} bytes of the record's line without its final turn, about */
function baseBytes(calls) {
  const escaped = 1.005;
  return calls.reduce((sum, { action, seen, entry }) => {
    if (entry === null) return sum + action.length * escaped;
    const pictures = Array.isArray(entry['image']) ? entry['image'].join('').length : 0;
    const text = 2 * action.length + (seen ?? '').length + String(entry['obs']).length;
    return sum + text * escaped + pictures + 830;
  }, 1000);
}

/**
 * One record of a dump, the object that its line parses to. `random` decides what `options` leaves open.
 * @param {() => number} random
 * @param {MetisRecordOptions} [options]
 * @returns {MetisRecord}
 */
export function metisRecord(random, options = {}) {
  const { step = 1, progress = 0.5, images = false, lineBytes } = options;
  const question = options.question ?? questionAt(integer(random, 0, 999), integer(random, 0, 999));
  const chosen = planOf(random, question, progress);
  const plan = {
    calls: options.calls ?? chosen.calls,
    right: options.right ?? chosen.right,
    formatted: options.formatted ?? chosen.formatted,
  };
  const target = lineBytes === undefined ? 0 : integer(random, lineBytes.min, lineBytes.max);
  const input = promptOf(question, images);
  const slots = plan.calls.reduce((sum, kind) => sum + (kind === 'text_search' ? 4 : kind === 'cut' ? 1 : 2), 1);
  // A call and its entry take 1,250 to 1,500 bytes without filling; 0.8 so that the final turn, if there is one, can correct what is off.
  const stop = stopReason(plan);
  const answered = stop.startsWith('model_chose');
  const share = (answered ? 0.8 : 1) * (target - 1000 - input.length - (answered ? 1500 : 1250) * plan.calls.length);
  const fill = Math.max(0, Math.floor(share / (answered ? slots : slots - 1)));
  const offset = plan.right ? 0 : pick(random, [-10, 1, 7, 100]);
  const trajectory = Array.from({ length: 4 }, () => integer(random, 0, 0xffffffff).toString(16).padStart(8, '0')).join(
    '',
  );
  const context = { random, question, offset, images, trajectory, fill };
  /** @type {Call[]} */
  const calls = [];
  /** @type {Call | undefined} */
  let lastPython;
  for (const kind of plan.calls) {
    const call = makeCall(kind, context, lastPython);
    if (kind === 'python' || kind === 'verify') lastPython = call;
    calls.push(call);
  }
  const rest = Math.max(0, Math.floor((target - baseBytes(calls) - input.length) / 1.003));
  const last = answered ? finalTurn(random, question.value + offset, plan.formatted, rest) : '';
  const turns = calls.map(({ action, seen }) =>
    seen === null ? action : `${action}${SEPARATOR[0]}${seen}${SEPARATOR[1]}`,
  );
  const right = plan.right && answered;
  return {
    input,
    output: turns.join('') + last,
    gts: String(question.value),
    score: Math.fround(0.9 * Number(right) + 0.1 * Number(plan.formatted && answered)),
    step,
    tool_interact_info: calls.flatMap((call) => (call.entry === null ? [] : [call.entry])),
    traj_stop_reason: stop,
    verl_tool_metrics: toolMetrics(calls, last, stop),
  };
}

/** @param {() => number} random @param {number} value @param {boolean} formatted @param {number} extra @returns {string} */
function finalTurn(random, value, formatted, extra) {
  const filling = extra > 0 ? `\n${reasoningFill(random, extra)}` : '';
  const text = `The result is ${value}.${filling}`;
  return `${formatted ? `<reason>${text}</reason>` : text}\n<answer>${value}</answer><|im_end|>`;
}

/**
 * One line of a dump as the writer puts it down, without the newline.
 * @param {MetisRecord} record
 * @returns {string}
 */
export function metisLine(record) {
  return pythonJson(record);
}

/**
 * Order of the rows of a step: (prompt, rollout) as one number, shuffled, so that members of a group are not adjacent.
 * @param {number} count
 * @param {() => number} random
 * @returns {Uint32Array}
 */
function shuffled(count, random) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = integer(random, 0, i);
    const kept = /** @type {number} */ (order[i]);
    order[i] = /** @type {number} */ (order[j]);
    order[j] = kept;
  }
  return order;
}

const BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Writes the step files of a run, in order; see metisRun.d.mts for the options.
 * @param {MetisRunOptions} options
 * @returns {Promise<{ files: string[], rollouts: number, bytes: number }>}
 */
export async function writeMetisRun(options) {
  const {
    directory,
    steps,
    promptsPerStep,
    rolloutsPerPrompt,
    seed,
    lineBytes,
    images = false,
    firstStep = 1,
    onStep,
  } = options;
  const lastOfTraining = options.trainingSteps ?? firstStep + steps - 1;
  await mkdir(directory, { recursive: true });
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  const written = { files: /** @type {string[]} */ ([]), rollouts: 0, bytes: 0 };
  for (let step = firstStep; step < firstStep + steps; step += 1) {
    const file = join(directory, `${step}.jsonl`);
    const progress = lastOfTraining <= 1 ? 0 : Math.min(1, (step - 1) / (lastOfTraining - 1));
    const order = shuffled(promptsPerStep * rolloutsPerPrompt, seededRandom(mixSeed(seed, step)));
    const handle = await open(file, 'w');
    let bytes = 0;
    let used = 0;
    try {
      for (const place of order) {
        const prompt = Math.floor(place / rolloutsPerPrompt);
        // A data set of four steps: prompts come back in later steps, as over epochs.
        const question = questionAt(seed, ((step - 1) * promptsPerStep + prompt) % (promptsPerStep * 4));
        const random = seededRandom(mixSeed(seed, step, prompt, place % rolloutsPerPrompt));
        const line = `${metisLine(metisRecord(random, { step, progress, images, question, ...(lineBytes && { lineBytes }) }))}\n`;
        // 3 bytes is the most that one UTF-16 unit takes in UTF-8.
        if (line.length * 3 > BUFFER_BYTES - used) {
          await handle.write(buffer, 0, used);
          used = 0;
        }
        if (line.length * 3 > BUFFER_BYTES) {
          const long = Buffer.from(line, 'utf8');
          await handle.write(long);
          bytes += long.length;
        } else {
          const count = buffer.write(line, used, 'utf8');
          used += count;
          bytes += count;
        }
      }
      if (used > 0) await handle.write(buffer, 0, used);
    } finally {
      await handle.close();
    }
    written.files.push(file);
    written.rollouts += order.length;
    written.bytes += bytes;
    await onStep?.({ step, file, rollouts: order.length, bytes });
  }
  return written;
}

async function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      steps: { type: 'string', default: '3' },
      prompts: { type: 'string', default: '8' },
      rollouts: { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
      'first-step': { type: 'string', default: '1' },
      'line-bytes': { type: 'string' },
      images: { type: 'boolean', default: false },
    },
  });
  const range = values['line-bytes']?.split('-').map(Number);
  const numbers = [
    values.steps,
    values.prompts,
    values.rollouts,
    values.seed,
    values['first-step'],
    ...(range ?? []),
  ].map(Number);
  const [steps = 0, promptsPerStep = 0, rolloutsPerPrompt = 0, seed = 0, firstStep = 0, min = 0, max = min] = numbers;
  if (values.out === undefined || numbers.some((value) => !Number.isInteger(value) || value < 0) || max < min) {
    process.stderr.write(
      'usage: metisRun.mjs --out DIR --steps N --prompts P --rollouts R --seed S --line-bytes MIN-MAX [--images] [--first-step K]\n',
    );
    process.exitCode = 2;
    return;
  }
  const lineBytes = range === undefined ? {} : { lineBytes: { min, max } };
  const run = {
    directory: values.out,
    steps,
    promptsPerStep,
    rolloutsPerPrompt,
    seed,
    firstStep,
    images: values.images,
    ...lineBytes,
  };
  const started = performance.now();
  const { rollouts, bytes } = await writeMetisRun(run);
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(
    `${rollouts} rollouts, ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s: ${values.out}\n`,
  );
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
