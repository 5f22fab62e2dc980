/**
 * The selected group with its numbers, and every step in which its prompt was sampled, asked of the engine when a group
 * is selected and again when its run changed. Columns know a group by an ordinal, the engine by step and key.
 * Leaves out texts (rolloutTexts.ts) and drawing.
 */
import type { ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import type { BiographyMoment, GroupView } from '../../src/protocol/groupView.ts';
import type { Client } from '../../src/protocol/rpc.ts';
import type { RunSamples } from './samples.ts';

/** A group as far as it is known. */
export interface SelectedGroup {
  readonly run: RunId;
  readonly ordinal: number;
  /** Null while it is not known; log text. */
  readonly question: string | null;
  /** Null while it is being read. */
  readonly view: GroupView | null;
  /** Steps in which its prompt was sampled, ascending; null while they are being read. */
  readonly moments: readonly BiographyMoment[] | null;
  /** How many there are, also where not all are kept. */
  readonly total: number;
}

/** The selected group. */
export interface GroupLoader {
  /** What is known of a group; null while its columns are read. Another group than before is asked for. */
  of(samples: RunSamples | null, ordinal: number): SelectedGroup | null;
}

/** Moments that are kept; a prompt that is sampled more often is a benchmark's only one. */
const mostMoments = 5_000;

interface Asked {
  readonly run: RunId;
  readonly version: number;
  readonly ordinal: number;
  /** Ordinal of the prompt, where that column is read. */
  readonly prompt: number | undefined;
}

/** Makes one that knows nothing yet. */
export function makeGroupLoader(
  api: Pick<Client<ChartsHostApi>, 'rowsOf' | 'groupOf' | 'biography'>,
  events: { readonly onChange: () => void; readonly onError: (error: unknown) => void },
): GroupLoader {
  let asked: Asked | null = null;
  let found: SelectedGroup | null = null;

  const load = async (mine: Asked, key: number): Promise<void> => {
    const { run } = mine;
    const set = (change: Partial<SelectedGroup>): boolean => {
      if (asked !== mine || !found) return false;
      found = { ...found, ...change };
      events.onChange();
      return true;
    };
    const [row] = await api.rowsOf({ run, keys: Float64Array.of(key) });
    if (!row) throw new Error('This group is no longer in the log.');
    const place = { run, step: row.step, key: row.group };
    const view = await api.groupOf(place);
    if (!set({ view, question: view.question })) return;
    const moments: BiographyMoment[] = [];
    for (;;) {
      const page = await api.biography({ ...place, first: moments.length });
      if (asked !== mine) return;
      moments.push(...page.rows);
      if (moments.length < page.total && page.rows.length > 0 && moments.length < mostMoments) continue;
      set({ moments, total: page.total });
      return;
    }
  };

  return {
    of: (samples, ordinal) => {
      const { key, group, prompt } = samples?.columns ?? {};
      if (!samples || !key || !group) return null;
      const { run, version } = samples;
      if (asked?.run === run && asked.version === version && asked.ordinal === ordinal) return found;
      const row = group.indexOf(ordinal);
      const mine: Asked = { run, version, ordinal, prompt: prompt?.[row] };
      const samePrompt = mine.prompt !== undefined && asked?.run === run && asked.prompt === mine.prompt;
      const sameGroup = found?.run === run && found.ordinal === ordinal;
      asked = mine;
      // Of a run that goes on, the group is shown as it was until it is read again; its prompt's life, at another step too.
      if (!found || (!sameGroup && !samePrompt)) {
        found = { run, ordinal, question: null, view: null, moments: null, total: 0 };
      } else if (!sameGroup) found = { ...found, ordinal, view: null };
      load(mine, key[row] ?? NaN).catch((error: unknown) => {
        if (asked === mine) events.onError(error);
      });
      return found;
    },
  };
}
