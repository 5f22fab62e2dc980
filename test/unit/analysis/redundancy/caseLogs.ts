/**
 * The cases of the corpus as logs of real producers, so that the rules are tried behind the readers too. Each format is
 * written as its producer writes it (formats.md); what a format cannot say is left for the reader to lose, and such a case
 * does not count for it. Leaves out the reading (caseLogs.test.ts).
 */
import { zipOf } from '../../readers/zipOf.ts';
import { argumentsOf, isCall, itemsOf, questionOf, type Case, type CaseCall, type CaseItem } from './corpusCases.ts';

/** A format in which a case can be written. */
export interface CaseFormat {
  readonly name: string;
  readonly file: string;
  write(one: Case): Buffer;
}

/** The formats, one line each. */
export const caseFormats: readonly CaseFormat[] = [
  { name: 'Metis', file: '1.jsonl', write: (one) => bytesOf(metisRecord(one)) },
  { name: 'tau-bench', file: 'results.json', write: (one) => bytesOf([tauBenchResult(one)]) },
  { name: 'ATIF', file: 'trajectory.json', write: (one) => bytesOf(atifTrajectory(one)) },
  { name: 'NeMo Gym', file: 'rollouts.jsonl', write: (one) => bytesOf(nemoGymRollout(one)) },
  { name: 'Inspect', file: 'log.eval', write: inspectArchive },
];

const usualSystem = 'You may call tools.';
const pads = '<|vision_start|><|image_pad|><|image_pad|><|image_pad|><|image_pad|><|vision_end|>';

type Written = { readonly [name: string]: unknown };

function bytesOf(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function systemOf({ system }: Case): string {
  return system ?? usualSystem;
}

function dataUri(base64: string): string {
  return `data:image/png;base64,${base64}`;
}

function textOf(items: readonly CaseItem[]): string {
  return items
    .flatMap((item) =>
      typeof item === 'string' ? [item] : 'answer' in item ? [`<answer>${item.answer}</answer>`] : [],
    )
    .join('\n');
}

function callsOf(items: readonly CaseItem[]): readonly CaseCall[] {
  return items.filter(isCall);
}

/** The arguments as text; those of a malformed call are cut JSON. */
function writtenArguments(call: CaseCall): string {
  return call.outcome === 'malformed' ? (call.raw ?? '{"cut') : JSON.stringify(argumentsOf(call) ?? {});
}

/** Every turn of a case with numbered calls. */
function numbered(
  one: Case,
): readonly { readonly items: readonly CaseItem[]; readonly calls: readonly (CaseCall & { id: string })[] }[] {
  let count = 0;
  return itemsOf(one).map((items) => ({
    items,
    calls: callsOf(items).map((call) => ({ ...call, id: `c${(count += 1)}` })),
  }));
}

function metisRecord(one: Case): Written {
  const tag = (call: CaseCall): string =>
    call.outcome === 'malformed' && call.raw !== undefined
      ? `<tool_call>\n${call.raw}\n</tool_call>`
      : `<tool_call>\n${JSON.stringify({ name: call.tool, arguments: argumentsOf(call) ?? {} })}\n</tool_call>`;
  const said = (item: CaseItem): string => (isCall(item) ? tag(item) : textOf([item]));
  const turns = itemsOf(one).map((items) => {
    const observed = callsOf(items).map(
      (call) => `${call.observation ?? ''}${(call.images ?? []).map(() => pads).join('')}`,
    );
    const answer = observed.length === 0 ? '' : `\n<|im_start|>user\n${observed.join('\n')}<|im_end|>`;
    return `${items.map(said).join('\n')}<|im_end|>${answer}`;
  });
  return {
    input: `<|im_start|>system\n${systemOf(one)}<|im_end|>\n<|im_start|>user\n${pads.repeat(one.promptImages ?? 0)}${questionOf(one)}<|im_end|>\n<|im_start|>assistant\n`,
    output: turns.join('\n<|im_start|>assistant\n'),
    gts: 'x',
    score: 1,
    step: 1,
    tool_interact_info: itemsOf(one).flatMap(callsOf).map(metisInteraction),
    traj_stop_reason: 'model_chose_to_finish_with_eos=<|im_end|>',
    verl_tool_metrics: { num_turns: turns.length, no_loss_on_traj: false, tool_avg_code_success: 1 },
  };
}

function metisInteraction(call: CaseCall): Written {
  const { outcome = 'ok', observation = '', failure } = call;
  const isGood = outcome === 'ok' || outcome === 'unknown' || outcome === 'refused';
  return {
    obs: observation,
    ...(call.images === undefined ? {} : { image: call.images.map(dataUri) }),
    metrics: outcome === 'refused' ? { deduplicated: true } : {},
    timeout: outcome === 'timeout',
    reward: null,
    done: 0,
    valid_action: outcome === 'malformed' ? 0 : 1,
    finish: false,
    invalid_reason: isGood || outcome === 'timeout' ? null : (failure ?? observation),
    success: isGood,
    interact_time_ms: 12.5,
  };
}

function tauBenchResult(one: Case): Written {
  const messages = numbered(one).flatMap(({ items, calls }): readonly Written[] => [
    {
      role: 'assistant',
      content: textOf(items),
      tool_calls:
        calls.length === 0
          ? null
          : calls.map((call) => ({
              id: call.id,
              type: 'function',
              function: { name: call.tool, arguments: writtenArguments(call) },
            })),
    },
    ...calls.map((call) => ({
      role: 'tool',
      tool_call_id: call.id,
      name: call.tool,
      content: call.outcome === 'failed' ? `Error: ${call.observation ?? ''}` : (call.observation ?? ''),
    })),
  ]);
  return {
    task_id: 0,
    trial: 0,
    reward: 1,
    info: { task: { user_id: 'u', actions: [], instruction: questionOf(one), outputs: [] } },
    traj: [{ role: 'system', content: systemOf(one) }, { role: 'user', content: questionOf(one) }, ...messages],
  };
}

function atifTrajectory(one: Case): Written {
  const pictures = Array.from({ length: one.promptImages ?? 0 }, (_, index) => ({
    type: 'image',
    source: { media_type: 'image/png', path: `images/${index}.png` },
  }));
  const asked = pictures.length === 0 ? questionOf(one) : [{ type: 'text', text: questionOf(one) }, ...pictures];
  const steps = numbered(one).map(({ items, calls }, index) => ({
    step_id: index + 3,
    source: 'agent',
    message: textOf(items),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((call) => ({
            tool_call_id: call.id,
            function_name: call.tool,
            arguments: call.outcome === 'malformed' ? writtenArguments(call) : (argumentsOf(call) ?? {}),
          })),
          observation: {
            results: calls.map(({ id, observation = '', outcome = 'ok' }) => ({
              source_call_id: id,
              content: observation,
              ...(outcome === 'unknown' ? {} : { extra: { is_error: outcome !== 'ok' } }),
            })),
          },
        }),
  }));
  return {
    schema_version: 'ATIF-v1.6',
    session_id: 's',
    agent: { name: 'harbor', version: '1', model_name: 'm' },
    steps: [
      { step_id: 1, source: 'system', message: systemOf(one) },
      { step_id: 2, source: 'user', message: asked },
      ...steps,
    ],
  };
}

function nemoGymRollout(one: Case): Written {
  const output = numbered(one).flatMap(({ items, calls }): readonly Written[] => [
    ...(textOf(items) === ''
      ? []
      : [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: textOf(items) }] }]),
    ...calls.map((call) => ({
      type: 'function_call',
      id: call.id,
      call_id: call.id,
      name: call.tool,
      arguments: writtenArguments(call),
      status: 'completed',
    })),
    ...calls.map((call) => ({
      type: 'function_call_output',
      call_id: call.id,
      output: call.outcome === 'failed' ? `Error: ${call.observation ?? ''}` : (call.observation ?? ''),
    })),
  ]);
  return {
    responses_create_params: {
      input: [
        { role: 'system', content: systemOf(one), type: 'message' },
        { role: 'user', content: questionOf(one), type: 'message' },
      ],
      tools: [],
    },
    response: { id: 'resp_1', object: 'response', output, status: 'completed', usage: { output_tokens: 1 } },
    reward: 1,
    _ng_task_index: 0,
    _ng_rollout_index: 0,
    agent_ref: { type: 'responses_api_agents', name: 'simple_agent' },
  };
}

function inspectArchive(one: Case): Buffer {
  const errors = { failed: 'unknown', timeout: 'timeout', refused: 'permission', malformed: 'parsing' } as const;
  const pictures = Array.from({ length: one.promptImages ?? 0 }, (_, index) => ({
    type: 'image',
    image: `https://example.org/${index}.png`,
  }));
  const messages = numbered(one).flatMap(({ items, calls }): readonly Written[] => [
    {
      role: 'assistant',
      source: 'generate',
      content: textOf(items),
      tool_calls: calls.map((call) => ({
        id: call.id,
        function: call.tool,
        arguments: argumentsOf(call) ?? {},
        type: 'function',
        ...(call.outcome === 'malformed' ? { parse_error: 'not valid JSON' } : {}),
      })),
    },
    ...calls.map(({ id, tool, outcome = 'ok', observation = '', images = [] }) => ({
      role: 'tool',
      tool_call_id: id,
      function: tool,
      content:
        images.length === 0
          ? observation
          : [
              { type: 'text', text: observation },
              ...images.map((base64) => ({ type: 'image', image: dataUri(base64) })),
            ],
      ...(outcome === 'ok' || outcome === 'unknown' ? {} : { error: { type: errors[outcome], message: observation } }),
    })),
  ]);
  const evaluation = {
    run_id: 'run1',
    created: '2026-01-02T03:04:05+00:00',
    task: 'cases',
    task_id: 'task1',
    dataset: { name: 'cases', samples: 1, sample_ids: ['one'] },
    model: 'mockllm/model',
    config: {},
  };
  const plan = { name: 'plan', steps: [], config: {} };
  const sample = {
    id: 'one',
    epoch: 1,
    input: questionOf(one),
    target: 'x',
    messages: [
      { role: 'system', content: systemOf(one) },
      { role: 'user', source: 'input', content: [{ type: 'text', text: questionOf(one) }, ...pictures] },
      ...messages,
    ],
    output: { model: 'model', choices: [], completion: '' },
    scores: { match: { value: 'C' } },
  };
  const members = {
    '_journal/start.json': { version: 2, eval: evaluation, plan },
    'samples/one_epoch_1.json': sample,
    'header.json': { version: 2, status: 'success', eval: evaluation, plan },
  };
  return zipOf(Object.entries(members).map(([name, value]) => ({ name, content: JSON.stringify(value) })));
}
