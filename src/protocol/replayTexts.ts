/**
 * What a replay says of itself: notes on an episode, on its tokens, on a comparison, a decision and a counterfactual.
 * Typed in one place so that engine, replayer and command line say the same (invariant 10).
 * Leaves out labels of the page (the player's own texts) and errors of a backend.
 */
import { countText, numberText, percentText, pluralText } from '../base/numberText.ts';

/** Where an episode stands. */
interface TitleParts {
  readonly step: number | null;
  readonly question: string;
  readonly member: number | null;
  readonly size: number | null;
}

const questionLength = 60;

const nearTexts = {
  quantised: 'as far as quantised weights of the same policy are, or a neighbouring checkpoint',
  '16 bits': 'as far as numbers of 16 bits scatter, or a neighbouring checkpoint',
  neighbour: 'a neighbouring checkpoint, not the policy that acted',
} as const;

function askedBy(path: string): string {
  return path === '/completions' ? `tokens (${path})` : `messages (${path})`;
}

/** Sentences and names; numbers in, text out. */
export const replayTexts = {
  /** "step 17 · 48 × 7 = ? · 5 of 16" */
  title: ({ step, question, member, size }: TitleParts) =>
    [
      step === null ? '' : `step ${step}`,
      question.length > questionLength ? `${question.slice(0, questionLength)}…` : question,
      member === null || size === null || size === 0 ? '' : `${member} of ${size}`,
    ]
      .filter((part) => part !== '')
      .join(' · '),
  tooLong: (units: number, most: number) =>
    `This rollout is too long to replay: ${countText(units)} characters and token values, at most ${countText(most)} fit.`,
  chooseShorter: 'Choose a shorter one.',
  putTogether:
    'The log holds messages, not the text that the policy read: it is put together by the chat template of the model.',
  noMarkers: 'The log lost the chat markers: they are put back by the chat template of the model.',
  pictures: (pictures: string) => `The model gets no pictures: ${pictures} only as their pads.`,
  subAgents: (agents: string) =>
    `Turns of sub-agents (${agents}) are given to the model as if they were the main agent’s.`,
  nothingWritten: 'The policy wrote nothing in this rollout.',
  cut: (left: number, context: number) =>
    `${pluralText(left, 'token')} at the end did not fit into the model’s context of ${countText(context)}.`,
  misaligned: (share: number) =>
    `${percentText(share)} of the policy’s tokens are not sure: other ones, or cut elsewhere, may have been sampled.`,
  noTemplate: 'The model has no chat template: turns are put between plain ChatML markers.',
  templateFailed: (reason: string) => `The chat template of the model could not be used (${reason}).`,
  rewritten: (turn: number) =>
    `The chat template writes earlier turns anew from turn ${turn + 1} on: the context may differ.`,
  foreignIds: 'The logged token ids are not of this model’s tokenizer: its own are used.',
  sameLog: (temperature: number, maximum: number) =>
    `The logged log-probs are this model’s at temperature ${numberText(temperature)} (largest difference ${numberText(maximum)}).`,
  near: (which: 'quantised' | '16 bits' | 'neighbour', temperature: number, mean: number) =>
    `Near (mean difference ${numberText(mean)} at temperature ${numberText(temperature)}): ${nearTexts[which]}.`,
  different: (mean: number) =>
    `Another model: the logged log-probs differ by ${numberText(mean)} on average. What it says is how surprising the episode is to it.`,
  notLogged: 'The log has no log-probs: whether this is the policy that acted cannot be checked.',
  noModel: 'No model is loaded.',
  oneModel: 'A replayer has one model: start another for another one.',
  notOpen: 'No episode is open.',
  notScored: 'The episode has not been scored yet.',
  noSuchTurn: 'The policy wrote nothing in this turn, or it lies beyond the model’s context.',
  noOpener: 'How a call opens in this format is not known: neither the log nor the chat template shows one.',
  cannotBan: (opener: string) =>
    `The policy hardly ever does without a call here, and "${opener}" cannot be banned alone: answers begin alike.`,
  useNoTools: 'Remove the tools from the prompt instead.',
  toolsUnknown: 'The log does not show which tools the prompt offered, so they cannot be taken out.',
  useNoCall: 'Ban the call instead.',
  noObservation: 'No observation follows this turn.',
  noRoom: 'The episode fills the model’s context at this turn: there is no room for a sample.',
  controlAtStart: 'Nothing was observed behind this turn: the control arm begins at its start, with nothing changed.',
  noTools: 'intervention: the tools are taken out of the prompt',
  otherResult: 'intervention: the result of the call is replaced',
  intervention: (without: number, drawn: number) =>
    `intervention: the opener is banned (by itself the policy did without a call ${countText(without)} of ${countText(drawn)} times)`,
  conditional: (without: number, drawn: number) =>
    `conditional: samples with a call were rejected (${countText(without)} of ${countText(drawn)} kept)`,
  bansMore: (opener: string) => `The first token of "${opener}" is banned, and with it all else that begins with it.`,
  bannedMass: (mass: number) =>
    `At some step the ban took out ${percentText(mass)} of the probability: what is left says little about the policy.`,
  truncated: (mass: number) =>
    `The sampler saw only ${percentText(mass)} of the probability at some step: the tail is cut off.`,
  serverUnknown:
    'The server does not say in which precision it runs, nor which weights: only the name of the model is known.',
  serverTells: {
    prompt_logprobs:
      'It tells no entropy; the opener of a call is seen only where it is among the most probable tokens.',
    echo: 'It tells log-probs of a prompt only by echoing it: no entropy, and ranks and openers of calls only among the most probable tokens.',
    none: 'The server tells no log-probs of a prompt: tokens, the comparison with the log, hazards and information gains are missing. P(call) by samples and counterfactuals work.',
  },
  serverShould: 'It must answer /v1/completions with prompt_logprobs (vLLM), or with echo and logprobs.',
  /** "… · asked by messages (/chat/completions); control by tokens (/completions)" */
  asked: (label: string, intervention: string, control: string | null) =>
    `${label} · asked by ${askedBy(intervention)}${control === null || control === intervention ? '' : `; control by ${askedBy(control)}`}`,
  chatRefused: (refusal: string) => `The server takes no messages, so it was asked by tokens: ${refusal}`,
  otherPrompt:
    'The server’s own chat template lays the messages out otherwise than the tokenizer chosen here: its samples continue another text than the one that was scored.',
  onRecordedPrefix: 'on the recorded prefix',
  givenReasoning: 'given this reasoning',
  unseen: (tokens: number) => `opener unseen at ${pluralText(tokens, 'token')}`,
  undecided: (cut: number) => `${pluralText(cut, 'sample')} cut before it decided`,
} as const;
