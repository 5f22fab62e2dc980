/**
 * A branch and the record as two texts: the same up to the turn where the branch begins, so that a diff shows what became
 * different. Pure. Leaves out the documents that show them (branchDocuments.ts).
 */
import type { KeptBranch } from '../../protocol/player.ts';
import { outcomeSign } from '../../protocol/playerSigns.ts';
import type { BranchSample, ReplayEpisode } from '../../protocol/replay.ts';
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

/** The record and a sample of a branch as text. */
export function branchTexts(
  episode: Pick<ReplayEpisode, 'turns'>,
  { request }: Pick<KeptBranch['result'], 'request'>,
  sample: BranchSample,
): { readonly recorded: string; readonly branched: string } {
  const headed = (turns: ReplayEpisode['turns']): string =>
    turns.map(({ role, turn, text }) => `── ${roleNames[role]} · ${turn + 1} ──\n${text.trimEnd()}\n`).join('\n');
  const before = headed(episode.turns.filter(({ turn }) => turn < request.turn));
  const rest = headed(episode.turns.filter(({ turn }) => turn >= request.turn));
  const first = episode.turns.find(({ turn }) => turn === request.turn);
  const heading = `── ${roleNames[first?.role ?? 'policy']} · ${request.turn + 1} ──`;
  const branched = `${heading}\n${sample.text.trimEnd()}\n\n── ${outcomeSign(sample)} ──\n`;
  return { recorded: `${before}\n${rest}`, branched: `${before}\n${branched}` };
}
