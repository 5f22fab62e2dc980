// What every rollout must be whatever its log says: plain data, indexes that lead somewhere, numbers that are finite.
import type { Rollout } from '../../../src/model/rollout.ts';

/** The first rule a rollout breaks, as a sentence; null if it keeps all of them. */
export function brokenRule(rollout: Rollout): string | null {
  const { turns, calls, images } = rollout;
  const isIndex = (index: number, count: number): boolean => Number.isInteger(index) && index >= 0 && index < count;
  for (const [at, turn] of turns.entries()) {
    if (!['system', 'user', 'policy', 'tool', 'other'].includes(turn.role)) return `turn ${at} has role ${turn.role}`;
    if (typeof turn.loggedRole !== 'string') return `turn ${at}: logged role is no text`;
    if (!isFinite(turn.characters) || turn.characters < 0) return `turn ${at}: characters ${turn.characters}`;
    for (const call of turn.observes) if (!isIndex(call, calls.length)) return `turn ${at} observes call ${call}`;
    if (turn.observes.length > 0 && turn.role !== 'tool') return `turn ${at} observes but is ${turn.role}`;
    for (const part of turn.parts) {
      if (part.kind === 'call' && !isIndex(part.call, calls.length)) return `turn ${at}: part of call ${part.call}`;
      if (part.kind === 'image' && !isIndex(part.image, images.length))
        return `turn ${at}: part of image ${part.image}`;
      if ('text' in part && typeof part.text !== 'string') return `turn ${at}: text of ${part.kind} is no text`;
    }
  }
  for (const [at, call] of calls.entries()) {
    if (!isIndex(call.turn, turns.length)) return `call ${at} is in turn ${call.turn} of ${turns.length}`;
    if (call.tool !== null && typeof call.tool !== 'string') return `call ${at}: tool is no text`;
    if (typeof call.raw !== 'string' || typeof call.observation !== 'string') return `call ${at}: raw or observation`;
    if (call.failure !== null && typeof call.failure !== 'string') return `call ${at}: failure is no text`;
    if (typeof call.sent !== 'boolean' || typeof call.control !== 'boolean') return `call ${at}: sent or control`;
    if (!isNumberOrNull(call.latencyMs)) return `call ${at}: latency ${String(call.latencyMs)}`;
    for (const image of call.images) if (!isIndex(image, images.length)) return `call ${at}: image ${image}`;
  }
  for (const [at, image] of images.entries()) {
    if (image.base64 !== null && typeof image.base64 !== 'string') return `image ${at}: data is no text`;
    if (!isNumberOrNull(image.pads)) return `image ${at}: pads`;
  }
  const { reward } = rollout;
  if (!isNumberOrNull(reward.total)) return `reward ${String(reward.total)}`;
  if (![0, 1, null].includes(reward.answer) || ![0, 1, null].includes(reward.format)) return 'reward answer or format';
  if (!isNumberOrNull(rollout.step) || !isNumberOrNull(rollout.modelTokens)) return 'step or tokens';
  if (!isNumberOrNull(rollout.loggedAdvantage)) return 'logged advantage';
  if (typeof rollout.group.key !== 'string') return 'group key is no text';
  for (const text of [rollout.id, rollout.answer, rollout.stopReason]) {
    if (text !== null && typeof text !== 'string') return 'id, answer or stop reason is no text';
  }
  if (typeof rollout.question !== 'string' || rollout.question.length > 160) return 'question';
  return null;
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || (typeof value === 'number' && Number.isFinite(value));
}
