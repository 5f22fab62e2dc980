/**
 * THE list of columns: name, type, unit and one sentence each. Shards hold `shard` columns; the in-memory table of an
 * open run adds `run` columns (from the file) and `derived` ones (from analysis/). `table --columns` takes these names.
 * Columns hold numbers, ids, hashes and byte ranges; text stays in the log (one 160 character preview excepted).
 */

/** SQL types in use; `VARCHAR` columns are the only ones without a unit. */
export type ColumnType = 'INTEGER' | 'UBIGINT' | 'DOUBLE' | 'BOOLEAN' | 'VARCHAR';

/** One column. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** '1' for counts and shares, 'byte', 'ms', 'character', 'token'; '' for text. */
  readonly unit: string;
  /** One sentence for `table --help`, the index's readers and the documents. */
  readonly sentence: string;
  readonly origin: 'shard' | 'run' | 'derived';
}

const columnOf =
  (origin: Column['origin']) =>
  (name: string, type: ColumnType, unit: string, sentence: string): Column => ({ name, type, unit, sentence, origin });
const shard = columnOf('shard');
const run = columnOf('run');
const derived = columnOf('derived');

/** A row a rollout. Order is the order in the Parquet file. */
export const rolloutColumns: readonly Column[] = [
  shard('row', 'INTEGER', '1', '0-based index of the record within its file.'),
  shard('line', 'INTEGER', '1', '0-based physical line on which the record starts.'),
  shard('byte_first', 'UBIGINT', 'byte', 'First byte of the record in its file.'),
  shard('byte_count', 'UBIGINT', 'byte', 'Length of the record.'),
  shard('item', 'INTEGER', '1', 'Which of the rollouts that one record holds; null where it holds one.'),
  shard('step_logged', 'INTEGER', '1', 'Training step as the record logs it; null if only the file name says.'),
  shard('group_key', 'VARCHAR', '', 'Logged group id, else a hash of prompt and ground truth.'),
  shard('group_inferred', 'BOOLEAN', '1', 'True if group_key is a hash, since the log names no group.'),
  shard('id', 'VARCHAR', '', 'Id of the rollout as logged.'),
  shard('output', 'INTEGER', '1', 'Index of this output where one rollout logs several records; null otherwise.'),
  shard('question', 'VARCHAR', '', 'First 160 characters of the last user turn of the prompt.'),
  shard('answer_key', 'VARCHAR', '', 'Hash of the normalised answer; null without an answer.'),
  shard('answer_is_truth', 'BOOLEAN', '1', 'True if the normalised answer is the ground truth; null without either.'),
  shard('reward', 'DOUBLE', '1', 'Logged total reward.'),
  shard('answer_reward', 'DOUBLE', '1', 'r_ans: 1 if the judged answer is right, else 0; null if not logged.'),
  shard('format_reward', 'DOUBLE', '1', 'r_fmt: 1 if the format is right, else 0; null if not logged.'),
  shard('correct_logged', 'BOOLEAN', '1', 'Right or wrong as logged or decoded; null if the threshold decides.'),
  shard('correct_decoded', 'BOOLEAN', '1', 'True if correct_logged was decoded from the score, not logged itself.'),
  shard('logged_advantage', 'DOUBLE', '1', "The trainer's own advantage where the log has it."),
  shard('calls', 'INTEGER', '1', 'T: tool calls sent, failed and refused ones too.'),
  shard('failed_calls', 'INTEGER', '1', 'Calls that failed, were malformed, timed out or were refused.'),
  shard(
    'redundant_calls',
    'INTEGER',
    '1',
    'Calls that a rule on this rollout alone flags as redundant, certain or likely (hints are not counted).',
  ),
  shard('turns', 'INTEGER', '1', 'Turns the policy wrote.'),
  shard('model_tokens', 'INTEGER', 'token', 'Tokens inside the response mask; null if not logged.'),
  shard('model_characters', 'INTEGER', 'character', 'Characters the policy wrote.'),
  shard('observation_characters', 'INTEGER', 'character', 'Characters of all observations.'),
  shard('latency_ms', 'DOUBLE', 'ms', 'Sum of the logged latencies of its calls; null if none is logged.'),
  shard('wasted_ms', 'DOUBLE', 'ms', 'The same of its redundant calls.'),
  shard('images', 'INTEGER', '1', 'Pictures in prompt and observations.'),
  shard('images_cut', 'INTEGER', '1', 'Of these, pictures whose data the log cut or left out.'),
  shard('masked', 'BOOLEAN', '1', 'True for a rollout without loss: in mean and std, contribution 0.'),
  shard('stop_reason', 'VARCHAR', '', 'Why the rollout ended, as logged.'),
];

/** A row a call; `row` joins it to its rollout within the same shard. */
export const callColumns: readonly Column[] = [
  shard('row', 'INTEGER', '1', '0-based index of the record within its file.'),
  shard('call', 'INTEGER', '1', '0-based index of the call within its rollout.'),
  shard('turn', 'INTEGER', '1', 'Index of the turn in which the policy wrote it.'),
  shard('tool', 'VARCHAR', '', 'Name of the tool; null if the call is malformed and names none.'),
  shard('sent', 'BOOLEAN', '1', 'False for a call that was cut before it was sent (not counted in T).'),
  shard('control', 'BOOLEAN', '1', 'True for submit, finish, think and hand-over.'),
  shard('outcome', 'VARCHAR', '', 'ok, failed, malformed, timeout, refused or unknown.'),
  shard('latency_ms', 'DOUBLE', 'ms', 'Logged wall time; null if not logged.'),
  shard('arguments_characters', 'INTEGER', 'character', 'Length of the call as the policy wrote it.'),
  shard('observation_characters', 'INTEGER', 'character', 'Length of what came back.'),
  shard('redundant', 'VARCHAR', '', 'Comma-separated ids of the rules that flag it; empty for none.'),
  shard('crop_overlap', 'DOUBLE', '1', 'near-repeat: IoU with the earlier crop that is most like it; null below 0.5.'),
  shard('shared_links', 'DOUBLE', '1', 'near-repeat: share of its links that an earlier search had; null below 0.5.'),
  shard('covered_share', 'DOUBLE', '1', 'whole-image: share of the picture that its crops cover; null below 0.5.'),
  shard('known_share', 'DOUBLE', '1', 'no-new-information: share of its 8-grams read before; null below 0.5.'),
];

/** What an open run adds to the shard columns: where the file lies and what analysis/ computes over groups. */
export const runColumns: readonly Column[] = [
  run('file', 'VARCHAR', '', "Path of the log file relative to the run's folder."),
  run('step', 'INTEGER', '1', 'Training step: as logged, else from the file name, else 0.'),
  derived('group', 'INTEGER', '1', '0-based ordinal of the group within the run, by step and first appearance.'),
  derived('rollout', 'INTEGER', '1', '0-based place of the rollout within its group, by file and row.'),
  derived('group_size', 'INTEGER', '1', 'G: rollouts in the group.'),
  derived('group_qualifying', 'INTEGER', '1', '|Q|: right rollouts in the group.'),
  derived('correct', 'BOOLEAN', '1', 'correct_logged, else reward above the threshold of the run.'),
  derived(
    'acc_reward',
    'DOUBLE',
    '1',
    'r_acc = 0.9·r_ans + 0.1·r_fmt, or the logged reward; right or wrong (1 or 0) in a step without rewards.',
  ),
  derived('tool_reward', 'DOUBLE', '1', 'r_tool = 1/(T+1) if right, else 0.'),
  derived('acc_advantage', 'DOUBLE', '1', 'A_acc = (r_acc − mean)/(std + 1e-6) over the group.'),
  derived('tool_advantage', 'DOUBLE', '1', 'A_tool = (r_tool − mean_Q)/(std_Q + 1e-6) over Q, else 0.'),
  derived('qualifies', 'BOOLEAN', '1', 'True for members of Q: r_tool > 0.'),
  derived('sibling_calls', 'INTEGER', '1', 'T − t: calls that its siblings likely did without; 0 for none.'),
];
