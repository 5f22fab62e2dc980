/**
 * The judge of the command line: an OpenAI-compatible endpoint by plain fetch. The key comes from the environment, never
 * from an argument. Leaves out asking (protocol/judgeEndpoint.ts), asking again and keeping answers (engine/curation).
 */
import type { AskJudge } from '../engine/curation/judgeRows.ts';
import {
  askEndpoint,
  endpointAddress,
  judgeTimeoutMs,
  type JudgeEndpoint,
  type JudgeSentences,
} from '../protocol/judgeEndpoint.ts';
import { UsageError } from './command.ts';

/** Environment variable of the key. */
export const judgeKeyVariable = 'ROLLOUT_LENS_JUDGE_KEY';

/** The base address of an endpoint; UsageError for anything but http(s), or with a key in it. */
export function judgeAddress(text: string): string {
  const address = endpointAddress(text);
  if (address !== null) return address;
  const url = URL.canParse(text) ? new URL(text) : null;
  throw new UsageError(
    url !== null && (url.username !== '' || url.password !== '')
      ? `--judge takes no key in its address; set ${judgeKeyVariable}`
      : `--judge ${text} is no http address`,
  );
}

/** Asks an endpoint, with the key of the environment where there is one. */
export function askJudgeAt({ address, model }: Pick<JudgeEndpoint, 'address' | 'model'>): AskJudge {
  const key = process.env[judgeKeyVariable] ?? '';
  const endpoint = { address, model, key: key === '' ? null : key };
  return (question, signal) => askEndpoint(question, { endpoint, fetch, signal, sentences, timeoutMs: judgeTimeoutMs });
}

const sentences: JudgeSentences = {
  late: (address, seconds) => `${address} did not answer within ${seconds} s.`,
  unreachable: (address, reason) => `${address} cannot be reached (${reason}).`,
  refusesKey: (address, said) => `${address} refuses the key (${said}). Set the key in ${judgeKeyVariable}.`,
  unknown: (address, said) => `${address} knows no such address or model (${said}).`,
  elsewhere: (address, said) => `${address} points elsewhere (${said}). Give its final address.`,
  failed: (address, said) => `${address} answered ${said}.`,
  noCompletion: () => 'The judge cannot be read: it sent no chat completion.',
  emptyAnswer: () => 'The judge cannot be read: it sent an empty answer.',
};
