/**
 * Who wrote each text of a NeMo RL training row, which logs the texts of the turns without their roles (formats.md 5.4):
 * [system?, user, assistant, environment, assistant, …]. The loss mask says how many the policy wrote and whether the
 * last one is its own; without a mask the number of texts and their wording decide, which is a guess.
 * Leaves out the tokens themselves (tokenValues.ts).
 */
import { maskedRanges } from './tokenValues.ts';

/** Role words as NeMo RL's own validation log has them. */
export type NemoRole = 'system' | 'user' | 'assistant' | 'environment';

const environmentStart = /^\s*(Environment:|<(environment|observation|result|tool_response|information)>)/;

/** One role a text; `mask` is on where the policy wrote, null where the row has none. */
export function nemoRoles(texts: readonly string[], mask: readonly boolean[] | null): readonly NemoRole[] {
  const written = mask === null ? [] : maskedRanges(mask);
  const fromMask = mask !== null && written.length > 0 && written.length < texts.length;
  const endsInPolicy = fromMask ? mask.at(-1) === true : !environmentStart.test(texts.at(-1) ?? '');
  // Without a mask as many answers as fit behind a question (and a system prompt, where one text is left over).
  const guessed = Math.floor(texts.length / 2);
  return rolesOf(texts.length, fromMask ? written.length : guessed, endsInPolicy ? 'policy' : 'environment');
}

/** Roles from the end: answers and what the environment said to them in turns, then the prompt. */
function rolesOf(count: number, answers: number, last: 'policy' | 'environment'): readonly NemoRole[] {
  const roles: NemoRole[] = [];
  let left = answers;
  let policyNext = last === 'policy';
  // One text at least is the question.
  while (left > 0 && roles.length < count - 1) {
    roles.unshift(policyNext ? 'assistant' : 'environment');
    if (policyNext) left--;
    policyNext = !policyNext;
  }
  const prompts = count - roles.length;
  for (let index = prompts - 1; index >= 0; index--) {
    roles.unshift(index === 0 && prompts > 1 ? 'system' : 'user');
  }
  return roles;
}
