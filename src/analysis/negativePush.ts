// The share of right rollouts that training pushes down all the same, by step: w_acc·A_acc + w_tool·A_tool < 0. Under HDPO
// this happens where a right rollout is wasteful and nearly all of its group are right; a coupled reward does it more.
// Left out: contributions (preparedContributions.ts).
import type { BootstrapOptions } from './bootstrap.ts';
import { NO_PUSH } from './coupled.ts';
import { at, type NumberColumn } from './groups.ts';
import { RIGHT } from './rewards.ts';
import { bandsByStep, type StepBands, type StepsAndGroups } from './stepBands.ts';
import { stepPlaces } from './stepPlaces.ts';

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

/**
 * The same shares without bands for any weights, `acc` and `tool` being contributions at weights of one: the right
 * rollouts are picked out once, so that a slider costs a pass over them. Arrays are new with each call.
 */
export function prepareNegativePush(input: NegativePushInput): (accWeight: number, toolWeight: number) => StepBands {
  const { correct, acc, tool } = input;
  const { steps, place } = stepPlaces(input.step);
  const rows = Uint32Array.from({ length: correct.length }, (_, i) => i).filter(
    (i) => at(correct, i) === RIGHT && !Number.isNaN(at(acc, i) + at(tool, i)),
  );
  const accOf = Float32Array.from(rows, (i) => at(acc, i));
  const toolOf = Float32Array.from(rows, (i) => at(tool, i));
  const placeOf = Uint32Array.from(rows, (i) => at(place, i));
  const count = new Float64Array(steps.length);
  for (let r = 0; r < rows.length; r += 1) count[at(placeOf, r)] = at(count, at(placeOf, r)) + 1;
  return (accWeight, toolWeight) => {
    const negative = new Float64Array(steps.length);
    for (let r = 0; r < rows.length; r += 1) {
      const push = accWeight * (accOf[r] ?? 0) + toolWeight * (toolOf[r] ?? 0);
      const s = placeOf[r] ?? 0;
      negative[s] = (negative[s] ?? 0) + Number(push < -NO_PUSH);
    }
    const unknown = (): Float64Array => new Float64Array(steps.length).fill(Number.NaN);
    const value = negative.map((sum, s) => (at(count, s) === 0 ? Number.NaN : sum / at(count, s)));
    return { step: steps, count, groups: new Uint32Array(steps.length), value, low: unknown(), high: unknown() };
  };
}
