// The share of right rollouts that training pushes down all the same, by step: w_acc·A_acc + w_tool·A_tool < 0. Under HDPO
// this happens where a right rollout is wasteful and nearly all of its group are right; a coupled reward does it more.
// Left out: contributions (preparedContributions.ts).
import type { BootstrapOptions } from './bootstrap.ts';
import { NO_PUSH } from './coupled.ts';
import { at, type NumberColumn } from './groups.ts';
import { RIGHT } from './rewards.ts';
import { bandsByStep, type StepBands, type StepsAndGroups } from './stepBands.ts';

/** All rollouts, one entry a rollout. */
export interface NegativePushInput extends StepsAndGroups {
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: NumberColumn;
  /** contributions of both channels; NaN = none */
  readonly acc: NumberColumn;
  readonly tool: NumberColumn;
}

/** Right rollouts with a net push below −1e-6 / right rollouts whose push is known, with a band over groups. */
export function negativePush(input: NegativePushInput, bootstrap: BootstrapOptions | null): StepBands {
  return bandsByStep(
    input,
    {
      numerator: (i) => {
        const push = at(input.acc, i) + at(input.tool, i);
        return at(input.correct, i) !== RIGHT || Number.isNaN(push) ? Number.NaN : Number(push < -NO_PUSH);
      },
    },
    bootstrap,
  );
}
