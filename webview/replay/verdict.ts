/**
 * Whether the logged log-probs are those of the model: one sentence with its sign, and the comparison at each temperature
 * as a table. Leaves out the thresholds (settings).
 */
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import type { LogprobVerdict } from '../../src/protocol/replay.ts';
import { element } from '../ui/dom.ts';
import { tableOf } from './decisionCurve.ts';

/** The nodes of a verdict on the model that is named. */
export function verdictNodes(said: LogprobVerdict, model: string): readonly HTMLElement[] {
  const sentence = element('p', { class: `said ${said.verdict.replace(' ', '-')}` }, [
    element('strong', {}, [texts.verdicts[said.verdict]]),
    ` · ${model}: ${said.sentence}`,
    ...(said.outsideTopP === null ? [] : [` ${texts.outside(said.outsideTopP)}`]),
  ]);
  if (said.agreements.length === 0) return [sentence];
  const rows = said.agreements.map((one, index) => {
    const [temperature = '', ...rest] = texts.agreementRow(one);
    return [`${temperature}${index === said.fits ? texts.fits : ''}`, ...rest];
  });
  return [
    sentence,
    element('details', {}, [element('summary', {}, [texts.agreement]), tableOf(texts.agreementHead, rows)]),
  ];
}
