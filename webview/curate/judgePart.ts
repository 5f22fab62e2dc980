/**
 * The judge on the page: which one, its prompt (a text of the user's), the key, and what a round gave. Nothing is sent
 * from here: "Ask…" goes to the host, which says what it takes and asks first. Leaves out sending.
 */
import { agreementText, curateTexts as texts, filterTexts, outcomeText } from '../../src/protocol/curateTexts.ts';
import type { CurateHostApi, JudgeOutcome } from '../../src/protocol/curatePage.ts';
import type { CurationConfig, CurationStage, JudgeAgreement } from '../../src/protocol/curation.ts';
import type { Client } from '../../src/protocol/rpc.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { select } from '../ui/select.ts';

/** What the part asks of the page. */
export interface JudgePartEvents {
  readonly api: Client<CurateHostApi>;
  readonly chosen: string | null;
  readonly onChoose: (judge: string) => void;
  /** Asks the judge; resolves to null where the user did not agree. */
  readonly onAsk: (judge: string) => Promise<JudgeOutcome | null>;
  readonly onError: (error: unknown) => void;
}

/** The part on the page. */
export interface JudgePart {
  readonly node: HTMLElement;
  /** Shows the stage's prompt, and whether its filter is on. */
  setConfig(config: CurationConfig): void;
  /** Looks again which judges there are. */
  renew(): void;
  setAgreement(agreement: JudgeAgreement | null): void;
}

const saveDelayMs = 400;
const judgedFilter = { sft: 'not-strategic', rl: 'ambiguous' } as const;

/** Makes the part. */
export function makeJudgePart(events: JudgePartEvents): JudgePart {
  const { api, onError } = events;
  let stage: CurationStage | null = null;
  let chosen = events.chosen;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const list = element('div', { class: 'controls' });
  const notes = element('div', { class: 'notes' });
  const off = element('p', { class: 'notes', hidden: true });
  const outcome = element('p', { class: 'outcome', role: 'status' });
  const agreement = element('p', { class: 'agreement', hidden: true });
  const prompt = element('textarea', { class: 'prompt', rows: 7, 'aria-label': texts.prompt, spellcheck: 'false' });
  const whose = element('p', { class: 'standing' });
  const onClick = (work: () => Promise<unknown>) => () => {
    work().catch(onError);
  };
  const showPrompt = ({ text, standard }: { readonly text: string; readonly standard: boolean }): void => {
    if (document.activeElement !== prompt) prompt.value = text;
    whose.textContent = `${standard ? texts.promptStandard : texts.promptOwn} ${texts.promptHint}`;
    resetPrompt.hidden = standard;
  };
  /** What was typed reaches the host before it is used. */
  const savePrompt = async (): Promise<void> => {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    if (stage !== null) showPrompt(await api.setJudgePrompt({ stage, text: prompt.value }));
  };
  prompt.addEventListener('input', () => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(onClick(savePrompt), saveDelayMs);
  });
  prompt.addEventListener('blur', onClick(savePrompt));
  const resetPrompt = button({
    label: texts.promptReset,
    title: texts.promptResetTitle,
    onClick: onClick(async () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      if (stage === null) return;
      const ours = await api.setJudgePrompt({ stage, text: null });
      prompt.value = ours.text;
      showPrompt(ours);
    }),
  });
  const ask = button({
    label: texts.ask,
    title: texts.askTitle,
    onClick: onClick(async () => {
      if (chosen === null) return;
      outcome.textContent = '';
      await savePrompt();
      const gave = await events.onAsk(chosen);
      outcome.textContent = gave === null ? '' : outcomeText(gave);
    }),
  });
  const command = (
    label: string,
    title: string,
    name: 'set the key' | 'remove the key' | 'judge settings',
  ): HTMLElement => button({ label, title, onClick: onClick(() => api.run({ command: name })) });
  const removeKey = command(texts.removeKey, texts.removeKeyTitle, 'remove the key');
  const setKey = command(texts.setKey, texts.setKeyTitle, 'set the key');
  const node = element('section', { class: 'part', id: 'judge', 'aria-label': texts.judge }, [
    element('h2', {}, [texts.judge]),
    element('p', { class: 'about' }, [texts.judgeIntro]),
    off,
    list,
    notes,
    element('div', { class: 'actions' }, [
      ask,
      setKey,
      removeKey,
      command(texts.judgeSettings, texts.judgeSettingsTitle, 'judge settings'),
    ]),
    outcome,
    agreement,
    element('details', {}, [
      element('summary', {}, [texts.prompt]),
      whose,
      prompt,
      element('div', { class: 'actions' }, [resetPrompt]),
    ]),
  ]);

  const renew = async (): Promise<void> => {
    const found = await api.judges({});
    const [first] = found.judges;
    const known = found.judges.find(({ id }) => id === chosen) ?? first ?? null;
    chosen = known?.id ?? null;
    ask.hidden = known === null;
    const endpoint = found.judges.some(({ kind }) => kind === 'endpoint');
    setKey.hidden = !endpoint;
    removeKey.hidden = !endpoint || !found.hasKey;
    list.replaceChildren(
      ...(known === null
        ? []
        : [
            select<string>({
              label: texts.judgeList,
              choices: Object.fromEntries(found.judges.map(({ id, label }) => [id, label])),
              chosen: known.id,
              onChange: (value) => {
                chosen = value;
                events.onChoose(value);
              },
            }),
          ]),
    );
    notes.replaceChildren(...found.notes.map((note) => element('p', {}, [note])));
  };
  const renewed = onClick(renew);

  return {
    node,
    renew: renewed,
    setConfig: (config) => {
      const filter = judgedFilter[config.stage];
      off.hidden = !config.off.includes(filter);
      off.textContent = texts.judgeOff(filterTexts[filter].name);
      if (stage === config.stage) return;
      onClick(async () => {
        await savePrompt();
        stage = config.stage;
        showPrompt(await api.judgePrompt({ stage: config.stage }));
      })();
    },
    setAgreement: (found) => {
      const text = found === null ? null : agreementText(found);
      agreement.hidden = text === null;
      agreement.textContent = text ?? '';
    },
  };
}
