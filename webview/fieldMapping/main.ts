/**
 * The field mapping form: a list for each field of ours, the first record beside it, and the first rollout as the chosen
 * fields read it, asked anew after each change. Restored from its saved path and draft.
 * Leaves out reading, guessing and keeping mappings (the engine's) and dialogs (the host's).
 */
import { pluralText } from '../../src/base/numberText.ts';
import type { FieldMapping } from '../../src/model/fieldMapping.ts';
import type { MappingEvents, MappingForm, MappingHostApi, MappingPreview } from '../../src/protocol/fieldMapping.ts';
import { mappingTexts as texts } from '../../src/protocol/mappingTexts.ts';
import { openConnection } from '../../src/protocol/rpc.ts';
import { button, dropdown, registerControls } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { connectHost } from '../ui/host.ts';
import './fieldMapping.css';
import { savedForm, standingOf, type FormState } from './pageState.ts';

registerControls();
const host = connectHost();
const connection = openConnection(host.port);
const api = connection.client<MappingHostApi>();

let state: FormState = savedForm(host.saved);
let form: MappingForm | null = null;
let previewed = 0;

const intro = element('p', { class: 'intro' }, [texts.reading]);
const standing = element('p', { class: 'standing', role: 'status' });
const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
const fields = element('div', { class: 'fields' });
const record = element('pre', { class: 'record', tabindex: 0, role: 'region', 'aria-label': texts.record });
const preview = element('dl', { class: 'preview', 'aria-live': 'polite', 'aria-label': texts.preview });
const actions = element('div', { class: 'actions' }, [
  action(texts.save, texts.saveTitle, () => save(current())),
  action(texts.useGuess, texts.useGuessTitle, () => save(null)),
  action(texts.exportLabel, texts.exportTitle, async () => {
    if (await api.exportMapping({ mapping: current() })) standing.textContent = texts.exported;
  }),
  action(texts.importLabel, texts.importTitle, async () => {
    const mapping = await api.importMapping({ names: form?.names.map(({ field }) => field) ?? [] });
    if (mapping === null) return;
    edit({ ...current(), ...mapping });
    drawFields();
    standing.textContent = texts.imported;
  }),
]);
document.body.append(
  element('main', {}, [
    element('h1', {}, [texts.title]),
    intro,
    problem,
    element('div', { class: 'columns' }, [
      element('section', { 'aria-label': texts.title }, [fields, actions, standing]),
      element('section', {}, [element('h2', {}, [texts.record]), record]),
    ]),
    element('section', {}, [element('h2', {}, [texts.preview]), preview]),
  ]),
);

function action(label: string, title: string, work: () => Promise<void>): HTMLElement {
  const onClick = (): void => {
    problem.hidden = true;
    work().catch(showError);
  };
  return button({ label, title, onClick });
}

function showError(error: unknown): void {
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
}

function keep(change: Partial<FormState>): void {
  state = { ...state, ...change };
  host.save(state);
}

/** The mapping as it stands in the form. */
function current(): FieldMapping {
  return state.draft ?? form?.saved ?? form?.guess ?? {};
}

function edit(mapping: FieldMapping): void {
  keep({ draft: mapping });
  standing.textContent = texts.changed;
  showPreview().catch(showError);
}

async function save(mapping: FieldMapping | null): Promise<void> {
  if (form === null) return;
  const said = await api.save({ path: form.file, mapping });
  await load(form.file, null);
  standing.textContent = said;
}

/** Shows a log; null for the one that the host names. What was edited is kept where it was about the same log. */
async function load(path: string | null, draft: FieldMapping | null): Promise<void> {
  form = await api.form({ path });
  keep({ path: form.file, draft: form.file === path ? draft : null });
  intro.textContent = texts.intro(form.folder);
  record.textContent = form.record;
  standing.textContent = standingOf(form, state.draft);
  drawFields();
  await showPreview();
}

function drawFields(): void {
  if (form === null) return;
  const mapping = current();
  const known = form.fields;
  fields.replaceChildren(
    ...form.names.map(({ field: name, label, sentence }) => {
      const chosen = mapping[name] ?? '';
      const paths = known.map(({ path }) => path);
      // A path that the first records lack can still be right.
      const offered = chosen === '' || paths.includes(chosen) ? paths : [chosen, ...paths];
      const sample = element('span', { class: 'sample' }, [sampleOf(chosen)]);
      const list = dropdown({
        label: `${label}: ${sentence}`,
        choices: [{ value: '', label: texts.none }, ...offered.map((path) => ({ value: path, label: path }))],
        chosen,
        onChange: (value) => {
          sample.textContent = sampleOf(value);
          edit({ ...current(), [name]: value === '' ? null : value });
        },
      });
      return element('div', { class: 'field', 'data-field': name }, [
        element('span', { class: 'label', title: sentence, 'aria-hidden': 'true' }, [label]),
        list,
        sample,
      ]);
    }),
  );
}

function sampleOf(path: string): string {
  return form?.fields.find((field) => field.path === path)?.sample ?? '';
}

async function showPreview(): Promise<void> {
  if (form === null) return;
  previewed += 1;
  const mine = previewed;
  const answer = await api.preview({ path: form.file, mapping: current() });
  // A slower answer to an earlier choice.
  if (mine === previewed) drawPreview(answer);
}

function drawPreview(answer: MappingPreview): void {
  if (answer.problem !== null) {
    const name = element('dt', { class: 'none' }, [texts.noPreviewTerm]);
    preview.replaceChildren(name, element('dd', { class: 'none' }, [texts.noPreview(answer.problem)]));
    return;
  }
  const size = texts.size(pluralText(answer.turns, 'turn'), pluralText(answer.calls, 'call'));
  const { question, response, reward, step, group } = answer;
  const values = { question, response, reward, step, group, size };
  const names = ['question', 'response', 'reward', 'step', 'group', 'size'] as const;
  preview.replaceChildren(
    ...names.flatMap((name) => [
      element('dt', {}, [texts.previewFields[name]]),
      element('dd', { 'data-preview': name }, [values[name]]),
    ]),
  );
}

connection.on<MappingEvents>({
  logAsked: ({ path }) => {
    load(path, null).catch(showError);
  },
});

load(state.path, state.draft).catch(showError);
