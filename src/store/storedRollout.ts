/**
 * From a row of a run's view to a StoredRollout: which columns are read and how. Leaves out which rollouts are asked for
 * and what the fields mean (questions.ts).
 */
import type { Row } from './duckdb.ts';
import type { StoredRollout } from './questions.ts';

/** The columns of the run's view that storedRollout reads. */
export const storedRolloutColumns = [
  'file',
  'row',
  'line',
  'byte_first',
  'byte_count',
  'item',
  'step',
  'group_key',
  'group_inferred',
  'rollout',
  'group_size',
  'group_qualifying',
  'id',
  'question',
  'reward',
  'answer_reward',
  'format_reward',
  'correct_logged',
  'correct_decoded',
  'correct',
  'calls',
  'failed_calls',
  'redundant_calls',
  'sibling_calls',
  'wasted_ms',
  'model_tokens',
  'model_characters',
  'acc_reward',
  'tool_reward',
  'acc_advantage',
  'tool_advantage',
  'logged_advantage',
  'qualifies',
  'masked',
  'stop_reason',
].join(', ');

/** A row of those columns as an object. */
export function storedRollout(row: Row): StoredRollout {
  const number = (name: string): number | null => {
    const value = row[name];
    return typeof value === 'number' ? value : null;
  };
  const text = (name: string): string | null => {
    const value = row[name];
    return typeof value === 'string' ? value : null;
  };
  const truth = (name: string): boolean | null => {
    const value = row[name];
    return typeof value === 'boolean' ? value : null;
  };
  return {
    file: text('file') ?? '',
    row: number('row') ?? 0,
    line: number('line') ?? 0,
    byteFirst: number('byte_first') ?? 0,
    byteCount: number('byte_count') ?? 0,
    item: number('item'),
    step: number('step') ?? 0,
    group: text('group_key') ?? '',
    groupInferred: truth('group_inferred') ?? false,
    member: (number('rollout') ?? -1) + 1,
    groupSize: number('group_size') ?? 0,
    groupQualifying: number('group_qualifying') ?? 0,
    id: text('id'),
    question: text('question') ?? '',
    reward: number('reward'),
    answerReward: number('answer_reward'),
    formatReward: number('format_reward'),
    correctLogged: truth('correct_logged'),
    correctDecoded: truth('correct_decoded') ?? false,
    correct: truth('correct'),
    calls: number('calls') ?? 0,
    failedCalls: number('failed_calls') ?? 0,
    redundantCalls: number('redundant_calls') ?? 0,
    siblingCalls: number('sibling_calls') ?? 0,
    wastedMs: number('wasted_ms'),
    modelTokens: number('model_tokens'),
    modelCharacters: number('model_characters') ?? 0,
    accReward: number('acc_reward'),
    toolReward: number('tool_reward'),
    accAdvantage: number('acc_advantage'),
    toolAdvantage: number('tool_advantage'),
    loggedAdvantage: number('logged_advantage'),
    qualifies: truth('qualifies') ?? false,
    masked: truth('masked') ?? false,
    stopReason: text('stop_reason'),
  };
}
