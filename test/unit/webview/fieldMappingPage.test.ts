// What the field mapping form says of the mapping it shows.
import { expect, test } from 'vitest';
import { mappingTexts } from '../../../src/protocol/mappingTexts.ts';
import { standingOf } from '../../../webview/fieldMapping/pageState.ts';

const none = { prompt: null, response: null, messages: null, step: null };

test.each([
  ['nothing was guessed', { guess: none, saved: null }, null, mappingTexts.notGuessed],
  ['a step was guessed', { guess: { ...none, step: 'n' }, saved: null }, null, mappingTexts.guessedPart],
  ['a prompt was guessed', { guess: { ...none, prompt: 'p' }, saved: null }, null, mappingTexts.guessedPart],
  ['enough was guessed', { guess: { ...none, prompt: 'p', response: 'r' }, saved: null }, null, mappingTexts.guessed],
  ['messages were guessed', { guess: { ...none, messages: 'm' }, saved: null }, null, mappingTexts.guessed],
  ['a mapping is kept', { guess: none, saved: none }, null, mappingTexts.kept],
  ['it was edited', { guess: none, saved: none }, none, mappingTexts.changed],
])('%s', (_, form, draft, text) => {
  expect(standingOf(form, draft)).toBe(text);
});
