/**
 * Which stop reasons say that a rollout was cut: a limit of its length, tokens, context, turns or steps. One pattern for
 * the store's SQL and for code, in the syntax that RE2 and JavaScript share.
 * Leaves out limits of time, cost and errors: what was written until then was not cut for its length.
 */

/** Matches, in lower case, a stop reason that is a length or turn limit (formats.md 1.6 and the other readers' words). */
export const limitPattern =
  'length|truncat|model_?len|exit_context|limits_?exceeded|max(imum)?[ _-]?((new|output|completion|response|prompt|model|assistant|agent|tool)[ _-]?)?(token|turn|step|iteration|interaction|round|message|action)|(token|turn|message|step|context|iteration|round)s?[ _-]?(window[ _-]?)?(limit|exceeded)';

const limits = new RegExp(limitPattern);

/** 1 where the rollout was ended by a length or turn limit, 0 where by something else, 2 where the log does not say. */
export function endedByLimit(stopReason: string | null): 0 | 1 | 2 {
  if (stopReason === null || stopReason === '') return 2;
  return limits.test(stopReason.toLowerCase()) ? 1 : 0;
}
