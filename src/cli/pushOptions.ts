/**
 * The options of `steps` and `table` that choose a coupled reward, HDPO's pushes being those of the published weights.
 * Leaves out the numbers (analysis/rolloutPushes.ts).
 */
import { usualPushes, type PushOptions } from '../analysis/rolloutPushes.ts';
import { UsageError, type Arguments } from './command.ts';

/** As the help shows them. */
export const couplingOptions = {
  form: 'unconditional (default), linear or gated: the coupled reward of columns that compare with one',
  alpha: 'N         its α (default 0.3)',
};

/** The options as given; UsageError where they are none. */
export function pushOptionsOf(given: Arguments): PushOptions {
  const form = given.option('form') ?? usualPushes.form;
  if (form !== 'unconditional' && form !== 'linear' && form !== 'gated') {
    throw new UsageError(`--form ${form}: choose unconditional, linear or gated`);
  }
  const alpha = Number(given.option('alpha') ?? usualPushes.alpha);
  if (!(alpha >= 0) || !Number.isFinite(alpha)) throw new UsageError('--alpha is a number from 0 on');
  return { ...usualPushes, form, alpha };
}
