/**
 * The filters of a stage: each on or off, with its thresholds, what it is, and the engine's sentence of what was checked.
 * Made anew when the stage or the settings came from elsewhere (import, reset), else only the sentences change.
 * Leaves out counting.
 */
import { curateTexts as texts, filterTexts } from '../../src/protocol/curateTexts.ts';
import type { CurateRun } from '../../src/protocol/curatePage.ts';
import {
  curationFilters,
  defaultCuration,
  type CurationConfig,
  type CurationFilter,
  type Funnel,
} from '../../src/protocol/curation.ts';
import { button, checkbox } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { select } from '../ui/select.ts';
import { slider } from '../ui/slider.ts';
import { numberField } from './numberField.ts';

/** What the controls tell. */
export interface FilterControlsEvents {
  readonly onConfig: (config: CurationConfig) => void;
  /** A log of the base model is to be chosen. */
  readonly onOpenBase: () => void;
  /** Tool-free samples are to be generated. */
  readonly onGenerate: () => void;
}

/** The controls on the page. */
export interface FilterControls {
  readonly node: HTMLElement;
  /** Draws all controls for these settings. */
  reset(config: CurationConfig, runs: readonly CurateRun[]): void;
  /** Shows what was checked. */
  update(funnel: Funnel): void;
}

/** Makes the controls; `reset` fills them. */
export function makeFilterControls(events: FilterControlsEvents): FilterControls {
  let config = defaultCuration;
  const node = element('div', { class: 'filters' });
  const coverage = new Map<CurationFilter, HTMLElement>();
  const set = (change: Partial<CurationConfig>): void => {
    config = { ...config, ...change };
    events.onConfig(config);
  };

  const thresholds = (filter: CurationFilter, runs: readonly CurateRun[]): readonly HTMLElement[] => {
    const judged = slider({
      label: texts.limited(texts.judgeBelow, 0, 1),
      min: 0,
      max: 1,
      step: 0.05,
      value: config.judgeThreshold,
      onInput: (judgeThreshold) => {
        set({ judgeThreshold });
      },
    }).node;
    switch (filter) {
      case 'execution-failure':
        return [
          checkbox({
            label: texts.onlyUnrecovered,
            checked: config.onlyUnrecovered,
            onChange: (onlyUnrecovered) => {
              set({ onlyUnrecovered });
            },
          }),
        ];
      case 'tool-free-solvable':
        return [...sourceList(runs), ...passThresholds()];
      case 'not-strategic':
      case 'ambiguous':
        return [judged];
      case 'near-duplicate':
        return [
          slider({
            label: texts.limited(texts.similarity, 0.5, 1),
            min: 0.5,
            max: 1,
            step: 0.01,
            value: config.nearDuplicate,
            onInput: (nearDuplicate) => {
              set({ nearDuplicate });
            },
          }).node,
        ];
      case 'no-variance':
        return [
          slider({
            label: texts.limited(texts.leastRollouts, 2, 64),
            min: 2,
            max: 64,
            step: 1,
            value: config.leastRollouts,
            onInput: (leastRollouts) => {
              set({ leastRollouts });
            },
          }).node,
          numberField({
            label: texts.startStep,
            empty: texts.firstStep,
            least: 0,
            value: config.startStep,
            onInput: (startStep) => {
              set({ startStep });
            },
          }),
          checkbox({
            label: texts.keepEfficiency,
            checked: config.keepEfficiencySignal,
            onChange: (keepEfficiencySignal) => {
              set({ keepEfficiencySignal });
            },
          }),
        ];
      case 'too-long':
        return [
          numberField({
            label: texts.contextTokens,
            empty: texts.noLimit,
            least: 1,
            value: config.contextTokens,
            onInput: (contextTokens) => {
              set({ contextTokens });
            },
          }),
        ];
      case 'inconsistent-feedback':
        return [forbiddenList()];
      case 'exact-duplicate':
      case 'broken-image':
        return [];
    }
  };

  const passThresholds = (): readonly HTMLElement[] => {
    const said = element('span', { class: 'said' });
    const say = (share: number): void => {
      said.textContent = share <= defaultCuration.toolFreeShare ? texts.anyRight : '';
    };
    say(config.toolFreeShare);
    return [
      slider({
        label: texts.limited(texts.samples, 1, 64),
        min: 1,
        max: 64,
        step: 1,
        value: config.toolFreeSamples,
        onInput: (toolFreeSamples) => {
          set({ toolFreeSamples });
        },
      }).node,
      slider({
        label: texts.limited(texts.shareFrom, 0, 1),
        min: 0,
        max: 1,
        step: 0.05,
        value: config.toolFreeShare <= defaultCuration.toolFreeShare ? 0 : config.toolFreeShare,
        onInput: (share) => {
          // A share of 0 would drop prompts that nobody solved.
          const toolFreeShare = Math.max(defaultCuration.toolFreeShare, share);
          say(toolFreeShare);
          set({ toolFreeShare });
        },
      }).node,
      said,
    ];
  };

  const forbiddenList = (): HTMLElement => {
    const input = element('input', {
      class: 'words',
      'aria-label': texts.forbiddenImports,
      placeholder: texts.forbiddenHint,
      value: (config.forbiddenImports ?? []).join(', '),
      spellcheck: 'false',
    });
    input.addEventListener('input', () => {
      set({ forbiddenImports: input.value.split(/[\s,]+/).filter((name) => name !== '') });
    });
    return element('label', { class: 'labelled' }, [texts.forbiddenImports, input]);
  };

  const sourceList = (runs: readonly CurateRun[]): readonly HTMLElement[] => {
    const { toolFreeFrom: from } = config;
    const gone = from.kind === 'run' && !runs.some(({ id }) => id === from.run);
    const choices: Record<string, string> = {
      none: texts.sources.none,
      self: texts.sources.self,
      generated: texts.sources.generated,
      ...Object.fromEntries(runs.map(({ id, name }) => [`run ${id}`, texts.baseRun(name)])),
      ...(gone ? { [`run ${from.run}`]: texts.baseGone } : {}),
      open: texts.sources.open,
    };
    const chosen = from.kind === 'run' ? `run ${from.run}` : from.kind;
    const list = select({
      label: texts.source,
      choices,
      chosen,
      onChange: (value) => {
        if (value === 'open') {
          const native = list.querySelector('select');
          // Until a log is chosen, what was chosen before holds.
          if (native) native.value = chosen;
          events.onOpenBase();
          return;
        }
        generate.hidden = value !== 'generated';
        if (value === 'none' || value === 'self' || value === 'generated') set({ toolFreeFrom: { kind: value } });
        else set({ toolFreeFrom: { kind: 'run', run: value.slice('run '.length) } });
      },
    });
    const generate = button({ label: texts.generate, title: texts.generateTitle, onClick: events.onGenerate });
    generate.hidden = from.kind !== 'generated';
    return [list, generate];
  };

  const filterNode = (filter: CurationFilter, runs: readonly CurateRun[]): HTMLElement => {
    const { name, about } = filterTexts[filter];
    const said = element('p', { class: 'coverage' });
    coverage.set(filter, said);
    const controls = element('div', { class: 'thresholds' }, thresholds(filter, runs));
    const show = (): void => {
      controls.hidden = config.off.includes(filter) || controls.childElementCount === 0;
    };
    show();
    return element('div', { class: 'filter', 'data-filter': filter, role: 'group', 'aria-label': name }, [
      checkbox({
        label: name,
        checked: !config.off.includes(filter),
        onChange: (on) => {
          const others = config.off.filter((other) => other !== filter);
          set({ off: on ? others : [...others, filter] });
          show();
        },
      }),
      element('p', { class: 'about' }, [about]),
      controls,
      said,
    ]);
  };

  return {
    node,
    reset: (next, runs) => {
      config = next;
      coverage.clear();
      node.replaceChildren(...curationFilters[config.stage].map((filter) => filterNode(filter, runs)));
    },
    update: ({ stages }) => {
      for (const [filter, said] of coverage) {
        const text = config.off.includes(filter) ? '' : (stages.find((one) => one.filter === filter)?.coverage ?? '');
        if (said.textContent !== text) said.textContent = text;
      }
    },
  };
}
