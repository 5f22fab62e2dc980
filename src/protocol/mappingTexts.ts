/**
 * The words of the field mapping form, typed in one place so that they can be translated here (invariant 10): a page
 * has no l10n of VS Code. Leaves out what the host says.
 */
export const mappingTexts = {
  title: 'Map fields',
  intro: (folder: string) =>
    `Which field of a record means what. A mapping is kept for all logs of ${folder} that no other reader knows; nothing is written into that folder.`,
  guessed: 'These fields were guessed. Check them against the first record.',
  guessedPart: 'Only some fields were recognised. Choose the prompt and the response, or the messages.',
  notGuessed: 'No field was recognised. Choose the prompt and the response, or the messages.',
  kept: 'A mapping is kept for this folder.',
  changed: 'Changed, not saved yet.',
  none: '(none)',
  record: 'First record',
  preview: 'First rollout',
  previewFields: {
    question: 'Prompt',
    response: 'Response',
    reward: 'Reward',
    step: 'Step',
    group: 'Group',
    size: 'Turns and calls',
  },
  size: (turns: string, calls: string) => `${turns}, ${calls}`,
  noPreviewTerm: 'Problem',
  noPreview: (problem: string) => `No rollout with this mapping: ${problem}`,
  save: 'Save',
  saveTitle: 'Keep this mapping for all logs of the folder and read them with it',
  useGuess: 'Use Guess',
  useGuessTitle: 'Remove the mapping that is kept and read these logs as guessed',
  exportLabel: 'Export…',
  exportTitle: 'Write this mapping to a JSON file',
  importLabel: 'Import…',
  importTitle: 'Read a mapping from a JSON file',
  exported: 'The mapping was written.',
  imported: 'The mapping was read; save it to use it.',
  reading: 'reading…',
} as const;
