/**
 * What a judge is asked unless the user has written another prompt: one text a stage. The engine puts the record behind
 * it, marked as data, and the form of the answer behind that, so that an edited prompt cannot leave either out.
 * Leaves out the record, the form of the answer and reading it (src/engine/curation).
 */
import type { CurationStage } from './curation.ts';

/** The prompt of each stage as we wrote it; the published criteria of the filter it decides (hdpo.md section 4). */
export const judgePrompts: Readonly<Record<CurationStage, string>> = {
  sft: [
    'You decide whether a recorded trajectory of a tool-using agent is worth learning from.',
    'Look at three things: whether each tool call was relevant to the question and to what the agent could not know without it,',
    'whether the reasoning follows from what was observed, and whether the use of tools has a stated reason.',
    'Score 1 where every call was needed and reasoned for, 0 where tools were called blindly or the reasoning ignores what they returned.',
    'A wrong final answer alone is no reason for a low score.',
  ].join('\n'),
  rl: [
    'You decide whether a prompt is clear enough to reward an agent for its answer.',
    'Score 1 where the prompt has exactly one answer that everyone who can solve it would give, in a form that can be checked.',
    'Score 0 where it is ambiguous: several answers that differ in meaning would be right, words or pictures it needs are missing,',
    'or the expected answer does not answer what is asked.',
  ].join('\n'),
};
