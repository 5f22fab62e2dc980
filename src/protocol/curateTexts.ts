/**
 * The words of the Curate page, typed in one place so that they can be translated here (invariant 10): a page has no
 * l10n of VS Code. Leaves out what the host says, and sentences that the engine computes (coverage, reasons, notes).
 */
import type { Json } from '../base/json.ts';
import { countText, notKnown, numberText, percentText, pluralText } from '../base/numberText.ts';
import type { CurateProgress, CurateWork, GenerateOutcome, JudgeOutcome } from './curatePage.ts';
import type { CurationFilter, CurationStage, CurationExport, Judgement, JudgeAgreement } from './curation.ts';

/** What a filter is called, what it drops, and where the rule comes from. */
export interface FilterText {
  readonly name: string;
  readonly about: string;
}

/** The filters by id. */
export const filterTexts: Readonly<Record<CurationFilter, FilterText>> = {
  'execution-failure': {
    name: 'Failed execution',
    about: 'A tool call failed. As published, any failure drops the trajectory.',
  },
  'inconsistent-feedback': {
    name: 'Inconsistent feedback',
    about:
      'What a tool returned cannot have come from the call: code that cannot run with a "correct" output, an observation that contradicts the arguments, a result without a call. Static checks; nothing is run.',
  },
  'tool-free-solvable': {
    name: 'Solvable without tools',
    about:
      'The base model solves the prompt without tools: unbiased pass@k over tool-free rollouts of the same prompt.',
  },
  'not-strategic': {
    name: 'Not strategic',
    about: 'A judge scores the use of tools below the threshold. Decides nothing before a judge was asked.',
  },
  'exact-duplicate': { name: 'Exact duplicate', about: 'An earlier row says the same, character by character.' },
  'near-duplicate': {
    name: 'Near duplicate',
    about: 'An earlier row shares most of its 5-word shingles (Jaccard similarity).',
  },
  'broken-image': { name: 'Broken image', about: 'A picture of the prompt cannot be decoded.' },
  'no-variance': {
    name: 'No variance',
    about:
      'All rollouts of the starting policy are right, or all are wrong: no accuracy signal. Too few rollouts decide nothing.',
  },
  ambiguous: {
    name: 'Ambiguous',
    about:
      'Several ground truths for one prompt, right rollouts whose answers differ in meaning, or a judge that scores it below the threshold.',
  },
  'too-long': { name: 'Too long', about: 'The prompt is longer than the context.' },
};

/** What a row is called in each stage. */
export const rowNouns: Readonly<Record<CurationStage, string>> = { sft: 'trajectory', rl: 'prompt' };

/** "15,360 trajectories", "1 prompt". */
export function rowsText(stage: CurationStage, count: number): string {
  return stage === 'sft' ? pluralText(count, 'trajectory', 'trajectories') : pluralText(count, 'prompt');
}

const workNames: Readonly<Record<CurateWork, string>> = {
  reading: 'Reading texts and pictures',
  judging: 'Asking the judge',
  exporting: 'Writing the export',
  generating: 'Generating tool-free samples',
};

/** Every other word of the page. */
export const curateTexts = {
  title: 'Curate',
  runs: 'Runs',
  chooseRuns: 'Choose Runs…',
  chooseRunsTitle: 'Choose the runs to curate',
  noRuns: 'No run is open. Open the folder or file of a run, then choose it here.',
  searching: 'Looking for runs in this workspace…',
  noneChosen: 'No run is chosen. Choose one or several of the open runs.',
  gone: 'The runs that were curated here are not open any more. Choose others, or open them again.',
  openRun: 'Open Run…',
  openRunTitle: 'Open a folder or file as a run',
  curated: (names: readonly string[], rollouts: number) => `${names.join(', ')}: ${pluralText(rollouts, 'rollout')}`,
  indexing: (names: readonly string[]) => `${names.join(', ')}: still being read, so counts will grow.`,
  stage: 'Stage',
  stages: { sft: 'SFT: trajectories', rl: 'RL: prompts' } satisfies Record<CurationStage, string>,
  filters: 'Filters',
  settings: 'Settings',
  importConfig: 'Import…',
  importConfigTitle: 'Read filters and thresholds from a JSON file',
  exportConfig: 'Save Settings…',
  exportConfigTitle: 'Write filters and thresholds to a JSON file, which the command line takes as --config',
  configWritten: 'The settings were written.',
  configRead: 'The settings were read.',
  reset: 'Reset',
  resetTitle: 'Reset all filters and thresholds to those of the published recipe',

  funnel: 'Funnel',
  funnelAbout:
    'Filters apply from top to bottom; a row is dropped by the first one that holds, so kept and dropped add up to all rows. Solid: kept. Hatched: dropped by this filter. Dotted: could not be decided, and kept. Source: the curation of the published recipe.',
  table: 'Table',
  tableTitle: 'Show the funnel as a table',
  about: 'About',
  aboutTitle: 'What the funnel shows',
  kept: 'Kept',
  byHand: 'Dropped by hand',
  off: 'off',
  heads: {
    filter: 'filter',
    entered: 'came in',
    dropped: 'dropped',
    share: 'share',
    matches: 'would drop alone',
    undecided: 'undecided',
    left: 'left',
  },
  keys: { kept: 'kept', dropped: 'dropped', undecided: 'undecided, kept' },
  droppedShort: (dropped: number, entered: number) =>
    dropped === 0 ? '0' : `${'\u2212'}${countText(dropped)} (${percentText(dropped / entered)})`,
  keptShort: (kept: number, rows: number) => `${countText(kept)} (${percentText(rows === 0 ? null : kept / rows)})`,

  rowsOf: (what: string) => `Rows: ${what}`,
  listLabel: (what: string) =>
    `${what}; Enter opens the transcript, k keeps, d drops, u takes the verdict back, Control Z undoes the last verdict`,
  chooseBar: 'Choose a bar of the funnel to list its rows.',
  noRows: (what: string) => `${what}: no rows.`,
  listed: (stage: CurationStage, count: number, what: string) =>
    `${what}: ${rowsText(stage, count)}, by step and file.`,
  listHint: 'Enter opens the transcript · k keeps · d drops · u takes back',
  columns: {
    question: 'question',
    step: 'step',
    right: 'right',
    calls: 'T',
    reason: 'reason',
    judge: 'judge',
    verdict: 'you',
  },
  verdicts: { keep: 'keep', drop: 'drop' },
  notLoaded: '…',
  keptReason: 'kept',
  open: 'Open Transcript',
  openTitle: 'Open the transcript of this row',
  keep: 'Keep',
  keepTitle: 'Keep this row, whatever the filters say',
  drop: 'Drop',
  dropTitle: 'Drop this row, whatever the filters say',
  takeBack: 'Take Back',
  takeBackTitle: 'Take your verdict on this row back',
  undo: 'Undo',
  undoTitle: 'Undo the last verdict',
  judgement: ({ score, reason, judge }: Judgement) => `${numberText(score)}: ${reason} (${judge})`,
  yourVerdict: { keep: 'You keep it.', drop: 'You drop it.' },

  judge: 'Judge',
  judgeIntro:
    'Nothing is sent unless you press "Ask…": then you are told how many requests it takes, roughly how many tokens, and to whom.',
  judgeList: 'Judge to ask',
  ask: 'Ask…',
  askTitle: 'Say what judging takes, and ask the judge about the rows that reach its filter',
  nothingToAsk: 'Every row that reaches the filter is answered already; nothing was sent.',
  prompt: 'Prompt of the judge',
  promptHint: 'The row follows this text, marked as data, and then the form of the answer.',
  promptReset: 'Reset Prompt',
  promptResetTitle: 'Go back to the prompt that comes with the extension',
  promptOwn: 'This is your own prompt; answers to another prompt are not used.',
  promptStandard: 'This is the prompt that comes with the extension.',
  setKey: 'Set Key…',
  setKeyTitle: 'Keep a key for the endpoint in the secret storage of this machine',
  removeKey: 'Remove Key',
  removeKeyTitle: 'Forget the key of the endpoint',
  judgeSettings: 'Settings…',
  judgeSettingsTitle: 'Show the settings of the judge: endpoint, model, requests in flight',
  judgeOff: (filter: string) => `The judge decides the filter "${filter}", which is off.`,

  exportTitle: 'Export',
  exportIntro:
    'Nothing is written before you press "Export…". A manifest with filters and thresholds is written beside the file.',
  form: 'Form',
  forms: {
    messages: 'chat messages',
    verl: 'verl prompts',
    pairs: 'preference pairs',
  } satisfies Record<CurationExport['form'], string>,
  formWrites: {
    sft: {
      messages: 'One record a kept trajectory: its whole conversation as chat messages.',
      verl: 'One record a prompt that a kept trajectory answers, with its ground truth and without the answers.',
      pairs:
        'One record a pair: of the kept trajectories of a group, the right one with fewest calls over a right one with more.',
    },
    rl: {
      messages: 'One record a kept prompt, as chat messages without the answers.',
      verl: 'One record a kept prompt, with its ground truth and without the answers.',
      pairs:
        'One record a pair: of the rollouts of a kept prompt in one group, the right one with fewest calls over a right one with more.',
    },
  } satisfies Record<CurationStage, Record<CurationExport['form'], string>>,
  format: 'File',
  formats: { jsonl: 'JSON lines', parquet: 'Parquet' } satisfies Record<CurationExport['format'], string>,
  images: 'Pictures',
  imageChoices: {
    files: 'files beside it',
    'data URIs': 'in the rows (data URIs)',
  } satisfies Record<CurationExport['images'], string>,
  exportRows: 'Export…',
  exportRowsTitle: 'Choose a file and write the kept rows',

  cancel: 'Cancel',
  cancelTitle: (what: CurateWork) => `Cancel: ${workNames[what]}`,
  tryAgain: 'Try Again',
  tryAgainTitle: 'Ask again',
  readOn: 'Read On',
  readOnTitle: 'Go on reading',
  stopped: 'Reading was cancelled. What was read is kept.',
  computing: 'Counting…',
  working: ({ what, done, of }: CurateProgress) =>
    of === 0 ? `${workNames[what]}…` : `${workNames[what]}: ${countText(done)} of ${countText(of)}`,

  onlyUnrecovered: 'only failures that no later call made good',
  forbiddenImports: 'modules that the sandbox forbids',
  forbiddenHint: 'os, subprocess',
  samples: 'k of pass@k',
  shareFrom: 'drop from pass@k',
  anyRight: 'at least one right',
  source: 'Tool-free rollouts',
  sources: {
    none: 'none: decides nothing',
    self: 'of the same runs (self-selected)',
    generated: 'generated here',
    open: 'of the base model: choose a log…',
  },
  generate: 'Generate…',
  generateTitle: 'Choose a model and generate the tool-free samples that are lacking',
  baseRun: (name: string) => `of the base model: ${name}`,
  baseGone: 'of the base model: a run that is not open',
  judgeBelow: 'drop below the score',
  similarity: 'similarity from',
  leastRollouts: 'least rollouts',
  keepEfficiency: 'keep all-right prompts whose T differs (an efficiency signal)',
  startStep: 'step of the starting policy',
  firstStep: 'first of each run',
  contextTokens: 'context, tokens',
  noLimit: 'no limit',
  limited: (label: string, min: number, max: number) => `${label} (${numberText(min)} to ${numberText(max)})`,
} as const;

/** The facts of a row by the names that the engine gives them. */
const factNames: Readonly<Record<string, string>> = {
  failed_calls: 'failed calls',
  not_made_good: 'never made good by a later call',
  tool_free_right: 'right without tools',
  tool_free_samples: 'samples without tools',
  chance: 'right by guessing',
  ground_truths: 'ground truths',
  right_answers: 'answers scored right',
  right: 'right rollouts',
  rollouts: 'judged rollouts',
  similarity: 'shared shingles',
  score: 'score of the judge',
  tokens: 'tokens of the prompt',
  tokens_estimated: 'tokens of the prompt, estimated',
  earlier: 'earlier trajectory',
};

/** A fact's name in words: "failed calls", "pass@8"; one that is not known loses its underscores. */
export function factName(name: string): string {
  const passed = /^pass_at_(\d+)$/.exec(name)?.[1];
  if (passed !== undefined) return `pass@${passed}`;
  return Object.hasOwn(factNames, name) ? (factNames[name] ?? name) : name.replaceAll('_', ' ');
}

/** A fact's value as text: counts with separators, lists one after the other. */
export function factText(value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? countText(value) : numberText(value);
  if (value === null) return notKnown;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.map(factText).join('; ') : JSON.stringify(value);
}

const longestQuoted = 60;

/** What a verdict did to the row that asks this, and where it is now; null: it was taken back. */
export function verdictText(verdict: 'keep' | 'drop' | null, question: string): string {
  const line = question.replace(/\s+/g, ' ').trim();
  const characters = [...line];
  const cut = characters.length > longestQuoted ? `${characters.slice(0, longestQuoted).join('')}…` : line;
  const row = cut === '' ? 'The row' : `"${cut}"`;
  const { kept, byHand } = curateTexts;
  if (verdict === 'keep') return `${row} is kept by you: it is now among the rows of "${kept}".`;
  if (verdict === 'drop') return `${row} is dropped by you: it is now among the rows of "${byHand}".`;
  return `Your verdict on ${cut === '' ? 'the row' : row} was taken back: the filters decide on it again.`;
}

/** What a round of judging gave, a sentence. */
export function outcomeText({ judged, failed, firstFailure, cancelled }: JudgeOutcome): string {
  if (judged === 0 && failed === 0 && !cancelled) return curateTexts.nothingToAsk;
  const asked = `${pluralText(judged, 'row was', 'rows were')} judged`;
  const failures =
    failed === 0 ? '' : `; ${countText(failed)} failed${firstFailure === null ? '' : ` (${firstFailure})`}`;
  return `${asked}${failures}.${cancelled ? ' It was cancelled; "Ask…" goes on from there.' : ''}`;
}

/** What generating tool-free samples gave, a sentence. */
export function generatedText({ generated, withoutCall, failed, firstFailure, cancelled }: GenerateOutcome): string {
  if (generated === 0 && failed === 0 && !cancelled) return 'Every prompt has its tool-free samples.';
  const failures =
    failed === 0 ? '' : `; ${countText(failed)} failed${firstFailure === null ? '' : ` (${firstFailure})`}`;
  const without =
    withoutCall === 0
      ? ''
      : ` For ${pluralText(withoutCall, 'prompt')} the policy was kept from calling, since the log does not show which tools could be taken out of the prompt.`;
  const kept = cancelled ? ' It was cancelled; what was generated is kept.' : '';
  return `Samples for ${pluralText(generated, 'prompt')} were generated${failures}.${without}${kept}`;
}

/** How the judge agrees with the user, a sentence; null where there is nothing to compare. */
export function agreementText({ agree, of, low, high }: JudgeAgreement): string | null {
  if (of === 0) return null;
  const interval = low === null || high === null ? '' : ` (95 % interval ${percentText(low)} to ${percentText(high)})`;
  return `The judge agrees with ${countText(agree)} of your ${pluralText(of, 'verdict')}: ${percentText(agree / of)}${interval}.`;
}
