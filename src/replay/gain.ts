/**
 * The information gain of each call (hdpo.md section 3, `replay`): log p of the recorded answer, forced directly behind the
 * answer opener, with the history up to and with the call's observation, less the same just before the turn of the call.
 * All later text is cut on both sides. Leaves out what is made of it (analysis/redundancy/replay.ts).
 */
import { isKnownBefore } from '../analysis/redundancy/replay.ts';
import { UserError } from '../base/errors.ts';
import type { CallGain } from '../protocol/replay.ts';
import type { Alignment } from './align.ts';
import { answerCloser, answerIn } from './answerCheck.ts';
import type { PolicyBackend } from './backend.ts';
import type { PolicyTokens } from './policyTokens.ts';

/** What gains are measured with. */
export interface GainOptions {
  readonly backend: PolicyBackend;
  readonly tokens: PolicyTokens;
  readonly provenanceId: string;
  readonly progress: (done: number, of: number) => void;
  readonly signal: AbortSignal;
}

/** The recorded answer as it is forced: opener, content and closer as ids, and which of them are the content. */
interface ForcedAnswer {
  readonly ids: readonly number[];
  readonly first: number;
  readonly end: number;
}

/** Gains of all calls whose observation is followed by another turn of the policy, in order. UserError where undefined. */
export async function gainsOfCalls(alignment: Alignment, options: GainOptions): Promise<readonly CallGain[]> {
  const { episode, written, ids } = alignment;
  if (episode.correct !== true) {
    throw new UserError('This rollout is not right: what its calls told about its answer says nothing.', null);
  }
  const forced = await forcedAnswer(alignment, options.tokens);
  const turns = [...new Set(episode.calls.map(({ turn }) => turn))].flatMap((turn) => {
    const at = written.findIndex((one) => one.turn === turn);
    const [own, next] = [written[at], written[at + 1]];
    return at === -1 || own === undefined || next === undefined ? [] : [{ turn, before: own.first, after: next.first }];
  });
  const known = new Map<number, number>();
  const answerAt = async (history: number): Promise<number> => {
    const found = known.get(history) ?? (await forcedLogprob(ids.slice(0, history), forced, options));
    known.set(history, found);
    return found;
  };
  const gains: CallGain[] = [];
  for (const [done, { turn, before, after }] of turns.entries()) {
    options.progress(done, turns.length);
    const withoutCall = await answerAt(before);
    const withCall = await answerAt(after);
    const gain = withCall - withoutCall;
    const { provenanceId } = options;
    for (const { call } of episode.calls.filter((one) => one.turn === turn)) {
      gains.push({ call, withCall, withoutCall, gain, flagged: isKnownBefore({ withoutCall, gain }), provenanceId });
    }
  }
  options.progress(turns.length, turns.length);
  return gains.sort((a, b) => a.call - b.call);
}

async function forcedAnswer({ episode, written, aligned }: Alignment, tokens: PolicyTokens): Promise<ForcedAnswer> {
  const opener = aligned.opener?.answer ?? null;
  const text = written.at(-1)?.text ?? '';
  const place = answerIn(text, opener);
  const answer = place === null ? (episode.answer ?? '') : text.slice(place.first, place.end);
  if (answer.trim() === '')
    throw new UserError('This rollout has no answer whose probability could be followed.', null);
  const opening = opener ?? '';
  const encoder = new TextEncoder();
  const ids = await tokens.encode(`${opening}${answer}${opener === null ? '' : answerCloser(opener)}`);
  const from = encoder.encode(opening).length;
  const to = from + encoder.encode(answer).length;
  let at = 0;
  let first = ids.length;
  let end = 0;
  for (const [index, id] of ids.entries()) {
    const next = at + tokens.bytesOf(id).length;
    if (next > from && at < to) {
      first = Math.min(first, index);
      end = index + 1;
    }
    at = next;
  }
  return { ids: ids.slice(0, end), first, end };
}

async function forcedLogprob(
  history: readonly number[],
  { ids: forced, first, end }: ForcedAnswer,
  { backend, signal }: GainOptions,
): Promise<number> {
  const ids = [...history, ...forced];
  if (ids.length > backend.facts.contextLength) {
    throw new UserError('The answer does not fit into the model’s context behind this call.', 'Choose another model.');
  }
  const positions = Array.from({ length: end - first }, (_, index) => history.length + first + index);
  let sum = 0;
  await backend.score(
    { ids, positions, watched: [], top: 0 },
    ({ logprob }) => {
      for (const value of logprob) sum += value;
    },
    signal,
  );
  return sum;
}
