// Which words of the logs mean that a rollout was cut.
import { describe, expect, it } from 'vitest';
import { endedByLimit } from '../../../src/model/stopReason.ts';

const cut = [
  'length',
  'finish_reason_length',
  'max_tokens',
  'max_output_tokens',
  'max_response_length_reached',
  'max_model_len_exceeded',
  'max_turns_reached',
  'max_steps',
  'MaxIterationsReached',
  'truncated',
  'TRUNCATED',
  'exit_context',
  'token limit',
  'message limit',
  'LimitsExceeded',
  'model_length',
  'no_tool-length',
];
const ended = [
  'model_chose_to_finish_with_eos=<|im_end|>',
  'tool_signaled_done',
  'no_tool-stop',
  'stop',
  'end_turn',
  'tool_calls',
  'error',
  'time limit',
  'exit_cost',
  'submitted',
  'done',
  'agent_stop',
  'user_stop',
  'continued elsewhere',
];

describe('endedByLimit', () => {
  it.each(cut)('%s is a length or turn limit', (reason) => {
    expect(endedByLimit(reason)).toBe(1);
  });
  it.each(ended)('%s is none', (reason) => {
    expect(endedByLimit(reason)).toBe(0);
  });
  it.each([null, ''])('%j is not logged', (reason) => {
    expect(endedByLimit(reason)).toBe(2);
  });
});
