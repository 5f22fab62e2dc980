/**
 * The records of an export: chat messages, the prompt form of verl, preference pairs; each with its source file and row, and
 * the SQL types of its columns for Parquet. Pure. Leaves out messages (exportMessages.ts) and files (exportCuration.ts).
 */
import type { Json } from '../../base/json.ts';
import type { Rollout } from '../../model/rollout.ts';
import type { CurationExport } from '../../protocol/curation.ts';
import type { ExportMessages, MessageForm } from './exportMessages.ts';

/** Where a record is from. */
export interface RecordSource {
  readonly run: string;
  readonly file: string;
  readonly row: number;
  readonly step: number;
  readonly group: number;
  /** Null where the log does not say. */
  readonly correct: boolean | null;
  readonly calls: number;
}

/** A chosen rollout as it is written. */
export interface Written {
  readonly rollout: Rollout;
  readonly messages: ExportMessages;
  /** Paths or data URIs of the pictures, parallel to the messages' lists; pictures that are not logged are left out. */
  readonly promptImages: readonly string[];
  readonly responseImages: readonly string[];
  /** Pictures that the text shows and the log does not have. */
  readonly missingImages: number;
  readonly source: RecordSource;
}

/** What is known of a prompt over its rollouts. */
export interface PromptShare {
  readonly rollouts: number;
  readonly right: number;
  readonly judged: number;
}

function sourceColumns({ source }: Written) {
  const { run, file, row, step, group, correct, calls } = source;
  return { source_run: run, source_file: file, source_row: row, step, group, correct, calls };
}

const sourceTypes = {
  source_run: 'VARCHAR',
  source_file: 'VARCHAR',
  source_row: 'BIGINT',
  step: 'BIGINT',
  group: 'BIGINT',
  correct: 'BOOLEAN',
  calls: 'BIGINT',
};

/** A ground truth as text: strings as they are, the rest as JSON; '' where there is none. */
function truthText(truth: Json): string {
  return truth === null ? '' : typeof truth === 'string' ? truth : JSON.stringify(truth);
}

/** Chat messages; of a prompt alone where the whole trajectory is not wanted. */
export function messagesRecord(written: Written, what: 'trajectory' | 'prompt'): object {
  const { messages, promptImages, responseImages, rollout, missingImages } = written;
  const whole = what === 'trajectory';
  return {
    messages: whole ? [...messages.prompt, ...messages.response] : messages.prompt,
    tools: messages.tools,
    images: whole ? [...promptImages, ...responseImages] : promptImages,
    images_missing: missingImages,
    ground_truth: truthText(rollout.groundTruth),
    answer: rollout.answer ?? '',
    reward: rollout.reward.total,
    ...sourceColumns(written),
  };
}

/** The prompt form of verl's data sets. */
export function verlRecord(written: Written, index: number, share: PromptShare): object {
  const { messages, promptImages, rollout, source } = written;
  return {
    data_source: source.run,
    prompt: messages.prompt.map(({ role, content }) => ({ role, content })),
    images: promptImages.map((image) => ({ image })),
    ability: 'agent',
    reward_model: { style: 'rule', ground_truth: truthText(rollout.groundTruth) },
    extra_info: {
      index,
      split: 'train',
      source_run: source.run,
      source_file: source.file,
      source_row: source.row,
      rollouts: share.rollouts,
      judged: share.judged,
      right: share.right,
    },
  };
}

/** A preference pair: a lean right rollout over a wasteful right one of the same group. */
export function pairRecord(chosen: Written, rejected: Written): object {
  return {
    prompt: chosen.messages.prompt,
    chosen: chosen.messages.response,
    rejected: rejected.messages.response,
    tools: chosen.messages.tools,
    images: [...chosen.promptImages],
    chosen_images: chosen.responseImages,
    rejected_images: rejected.responseImages,
    chosen_calls: chosen.source.calls,
    rejected_calls: rejected.source.calls,
    ground_truth: truthText(chosen.rollout.groundTruth),
    source_run: chosen.source.run,
    source_file: chosen.source.file,
    source_row: chosen.source.row,
    rejected_file: rejected.source.file,
    rejected_row: rejected.source.row,
    step: chosen.source.step,
    group: chosen.source.group,
  };
}

const plainMessages = 'STRUCT("role" VARCHAR, content VARCHAR)[]';
const structuredMessages =
  'STRUCT("role" VARCHAR, content VARCHAR, reasoning_content VARCHAR, tool_calls STRUCT(id VARCHAR, "type" VARCHAR, "function" STRUCT("name" VARCHAR, arguments VARCHAR))[], tool_call_id VARCHAR)[]';

/** SQL types of the columns of a form. */
export function columnTypes(form: CurationExport['form'], messages: MessageForm): Readonly<Record<string, string>> {
  const list = messages === 'exact' ? plainMessages : structuredMessages;
  switch (form) {
    case 'messages':
      return {
        messages: list,
        tools: 'VARCHAR',
        images: 'VARCHAR[]',
        images_missing: 'BIGINT',
        ground_truth: 'VARCHAR',
        answer: 'VARCHAR',
        reward: 'DOUBLE',
        ...sourceTypes,
      };
    case 'verl':
      return {
        data_source: 'VARCHAR',
        prompt: plainMessages,
        images: 'STRUCT(image VARCHAR)[]',
        ability: 'VARCHAR',
        reward_model: 'STRUCT(style VARCHAR, ground_truth VARCHAR)',
        extra_info:
          'STRUCT("index" BIGINT, split VARCHAR, source_run VARCHAR, source_file VARCHAR, source_row BIGINT, rollouts BIGINT, judged BIGINT, "right" BIGINT)',
      };
    case 'pairs':
      return {
        prompt: list,
        chosen: list,
        rejected: list,
        tools: 'VARCHAR',
        images: 'VARCHAR[]',
        chosen_images: 'VARCHAR[]',
        rejected_images: 'VARCHAR[]',
        chosen_calls: 'BIGINT',
        rejected_calls: 'BIGINT',
        ground_truth: 'VARCHAR',
        source_run: 'VARCHAR',
        source_file: 'VARCHAR',
        source_row: 'BIGINT',
        rejected_file: 'VARCHAR',
        rejected_row: 'BIGINT',
        step: 'BIGINT',
        group: 'BIGINT',
      };
  }
}
