// The few lines that make a trainer log what the doctor misses, by log format: keys that the readers of this extension take.
// Source: verl's `_dump_generations` call in ray_trainer.py, whose extra columns become keys of the dump.
// Left out: when a line is needed (doctor.ts). A test holds the keys to the readers.

/** What can be missing. */
export type MissingField = 'group' | 'reward' | 'advantage' | 'correct' | 'step' | 'tokens';

/** Keys of one JSON record, with an example value each: what every reader of JSON lines takes. */
const recordKeys: Readonly<Record<MissingField, string>> = {
  group: '"group_id": "<one id a prompt and step>"',
  reward: '"reward": 1.0',
  advantage: '"advantage": 0.35',
  correct: '"correct": true',
  step: '"step": 17',
  tokens: '"completion_tokens": 212',
};

/** Extra columns of a verl dump, set before `self._dump_generations(…)`. */
const verlColumns: Readonly<Partial<Record<MissingField, readonly string[]>>> = {
  group: ['reward_extra_infos_dict["uid"] = batch.non_tensor_batch["uid"].tolist()'],
  advantage: [
    'mask = batch.batch["response_mask"]',
    'mean = (batch.batch["advantages"] * mask).sum(-1) / mask.sum(-1).clamp(min=1)',
    'reward_extra_infos_dict["advantage"] = mean.tolist()',
  ],
  correct: ['reward_extra_infos_dict["acc"] = [...]  # true or false a rollout, from the reward function'],
  tokens: ['reward_extra_infos_dict["model_tokens"] = batch.batch["response_mask"].sum(-1).tolist()'],
};

const verlFormats: ReadonlySet<string> = new Set(['verl', 'verl-array']);

/** Lines for the trainer that writes this format; other formats than verl's get the key that the field mapping knows. */
export function trainerLines(format: string, missing: MissingField): readonly string[] {
  const known = verlFormats.has(format) ? verlColumns[missing] : undefined;
  return known ?? [`In each record: ${recordKeys[missing]}`];
}
