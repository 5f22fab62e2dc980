/**
 * A branch and the record as two texts: the same up to the turn where the branch begins, so that a diff shows what became
 * different. Pure. Leaves out the documents that show them (branchDocuments.ts).
 */
import type { KeptBranch } from '../../protocol/player.ts';
import { outcomeSign } from '../../protocol/playerSigns.ts';
import { playerTexts } from '../../protocol/playerTexts.ts';
import type { BranchSample, ReplayEpisode, ReplayTurn } from '../../protocol/replay.ts';
import { roleNames } from '../../protocol/texts.ts';

/** Bytes of all samples together that a page gets; a message is at most 1 MB. */
const mostBytes = 700_000;
const mostCharactersOfSample = 4_000;

/** Branches as a page gets them, newest first served: texts that do not fit are cut or left out, a diff has them whole. */
export function branchesForPage(branches: readonly KeptBranch[]): readonly KeptBranch[] {
  let left = mostBytes;
  const cut = (text: string): string => {
    const shown = left <= 0 ? '' : text.slice(0, mostCharactersOfSample);
    left -= 3 * shown.length;
    return shown.length < text.length ? `${shown}…` : shown;
  };
  return [...branches]
    .reverse()
    .map((branch): KeptBranch => {
      const samples = branch.result.samples.map((sample) => ({ ...sample, text: cut(sample.text) }));
      return { ...branch, result: { ...branch.result, samples } };
    })
    .reverse();
}

/** The record and a sample of a branch as text; turns are called as the transcript and the player call them. */
export function branchTexts(
  { turns, answer, correct }: Pick<ReplayEpisode, 'turns' | 'answer' | 'correct'>,
  { request }: Pick<KeptBranch['result'], 'request'>,
  sample: BranchSample,
): { readonly recorded: string; readonly branched: string } {
  const written = turns.filter(({ role, prompt }) => role === 'policy' && !prompt).map(({ turn }) => turn);
  const heading = ({ turn, role }: Pick<ReplayTurn, 'turn' | 'role'>): string => {
    const number = written.indexOf(turn) + 1;
    return `── ${playerTexts.turn(turn + 1)} · ${number === 0 ? roleNames[role] : playerTexts.policyTurn(number)} ──`;
  };
  const headed = (some: ReplayEpisode['turns']): string =>
    some.map((one) => `${heading(one)}\n${one.text.trimEnd()}\n`).join('\n');
  const before = headed(turns.filter(({ turn }) => turn < request.turn));
  const rest = headed(turns.filter(({ turn }) => turn >= request.turn));
  const first = turns.find(({ turn }) => turn === request.turn) ?? { turn: request.turn, role: 'policy' };
  const end = (one: Pick<BranchSample, 'ended' | 'correct' | 'answer'>): string => `\n── ${outcomeSign(one)} ──\n`;
  return {
    recorded: `${before}\n${rest}${end({ ended: 'answered', correct, answer })}`,
    branched: `${before}\n${heading(first)}\n${sample.text.trimEnd()}\n${end(sample)}`,
  };
}
