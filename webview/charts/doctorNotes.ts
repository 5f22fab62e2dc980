/**
 * What the logs of the shown runs lack, what was done about it and the lines that the trainer should add: closed below
 * the summary until someone wants to know. Leaves out how it is found (src/analysis/doctor.ts).
 */
import { pluralText } from '../../src/base/numberText.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { ChartRun, ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';
import { element } from '../ui/dom.ts';

/** The notes on the page. */
export interface DoctorNotes {
  readonly node: HTMLElement;
  /** Shows the notes of these runs, in this order. */
  setRuns(runs: readonly ChartRun[]): void;
  /** A run changed: its log is examined again when it has been quiet for a moment. */
  changed(run: RunId): void;
}

/** A log that is being written is examined this long after its last change. */
const restMs = 2_000;

/** Makes them, hidden while there is nothing to say. */
export function makeDoctorNotes(
  api: Pick<Client<ChartsHostApi>, 'doctor'>,
  showError: (error: unknown) => void,
): DoctorNotes {
  const heading = element('summary');
  const body = element('div');
  const node = element('details', { class: 'doctor', hidden: true }, [heading, body]);
  const known = new Map<RunId, readonly Finding[]>();
  const resting = new Map<RunId, ReturnType<typeof setTimeout>>();
  let shown: readonly ChartRun[] = [];

  const draw = (): void => {
    const ill = shown.flatMap((run) => {
      const findings = known.get(run.id) ?? [];
      return findings.length === 0 ? [] : [{ name: run.name, findings }];
    });
    const count = ill.reduce((sum, { findings }) => sum + findings.length, 0);
    node.hidden = count === 0;
    heading.textContent = `What these logs lack: ${pluralText(count, 'note')}`;
    body.replaceChildren(
      ...ill.flatMap(({ name, findings }) => [element('h2', {}, [name]), element('ul', {}, findings.map(findingNode))]),
    );
  };
  const examine = async (run: RunId): Promise<void> => {
    try {
      known.set(run, (await api.doctor({ run })).findings);
      draw();
    } catch (error) {
      showError(error);
    }
  };
  return {
    node,
    setRuns: (runs) => {
      // Drawn anew with each frame of a resize, it would take the keyboard from who reads it.
      if (
        runs.length === shown.length &&
        runs.every(({ id, name }, at) => shown[at]?.id === id && shown[at].name === name)
      ) {
        return;
      }
      shown = runs;
      for (const { id } of runs) {
        if (known.has(id)) continue;
        known.set(id, []);
        void examine(id);
      }
      draw();
    },
    changed: (run) => {
      clearTimeout(resting.get(run));
      resting.set(
        run,
        setTimeout(() => {
          if (shown.some(({ id }) => id === run)) void examine(run);
          else known.delete(run);
        }, restMs),
      );
    },
  };
}

function findingNode({ severity, sentence, fix }: Finding): HTMLElement {
  // Not every font has a letter in a circle: only warnings have a sign.
  const sign = severity === 'warning' ? '⚠ ' : '';
  const lines = fix.length === 0 ? [] : [element('pre', { tabindex: 0 }, [fix.join('\n')])];
  return element('li', {}, [sign, sentence, ...lines]);
}
