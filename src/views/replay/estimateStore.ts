/**
 * Monte Carlo estimates of P(call) that are kept of a rollout: they take many samples, and a page that was hidden or
 * reloaded asks for them again. The latest of a turn and provenance counts. Leaves out the files (keptLists.ts).
 */
import { isObject } from '../../base/json.ts';
import type { PlayerKept } from '../../protocol/player.ts';
import type { DecisionPoint } from '../../protocol/replay.ts';
import { openKeptLists } from './keptLists.ts';

const mostEstimates = 400;

/** The estimates of rollouts. */
export interface EstimateStore {
  /** Of one model, precision and provider: numbers of another provenance are another's. */
  of(kept: PlayerKept, provenanceId: string): Promise<readonly DecisionPoint[]>;
  add(kept: PlayerKept, point: DecisionPoint): Promise<void>;
}

/** Opens the store in a folder, which need not exist. */
export function openEstimateStore(folder: string): EstimateStore {
  const lists = openKeptLists({ folder, name: 'estimates', most: mostEstimates, isEntry: isPoint });
  return {
    of: async (kept, provenanceId) => (await lists.all(kept)).filter((point) => point.provenanceId === provenanceId),
    add: (kept, point) =>
      lists.change(kept, (known) => [
        ...known.filter(({ turn, provenanceId }) => turn !== point.turn || provenanceId !== point.provenanceId),
        point,
      ]),
  };
}

function isPoint(value: unknown): value is DecisionPoint {
  if (!isObject(value) || value.estimator !== 'Monte Carlo') return false;
  const { turn, callProbability, low, high, n, temperature, given, called, provenanceId } = value;
  return (
    [turn, n, temperature].every((one) => typeof one === 'number') &&
    isShare(callProbability) &&
    [low, high].every((one) => one === null || isShare(one)) &&
    typeof given === 'string' &&
    typeof called === 'boolean' &&
    typeof provenanceId === 'string'
  );
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1;
}
