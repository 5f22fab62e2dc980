/**
 * The editor's own language models as judges (`vscode.lm`): which there are, and one question to one of them. VS Code asks
 * the user itself before the first request, and keeps the answer. Leaves out endpoints (judgeEndpoint.ts).
 */
import * as vscode from 'vscode';
import { messageOf } from '../base/errors.ts';
import type { JudgeChoice } from '../protocol/curatePage.ts';
import type { JudgeAnswer } from '../protocol/judgeEndpoint.ts';

const prefix = 'editor:';
/** An answer is a verdict and a sentence. */
const mostCharacters = 100_000;

/** The models the editor offers; none in builds without them (code-server). */
export async function editorJudges(): Promise<readonly JudgeChoice[]> {
  const models = await vscode.lm.selectChatModels();
  return models.map(({ id, vendor, name }) => ({
    id: `${prefix}${vendor}/${id}`,
    label: vscode.l10n.t('{0} of the editor ({1})', name, vendor),
    kind: 'editor',
  }));
}

/** Whether a judge's id is one of `editorJudges`. */
export function isEditorJudge(judge: string): boolean {
  return judge.startsWith(prefix);
}

/** Asks once. Rejects only when cancelled. */
export async function askEditor(judge: string, prompt: string, signal: AbortSignal): Promise<JudgeAnswer> {
  const models = await vscode.lm.selectChatModels();
  const model = models.find(({ id, vendor }) => judge === `${prefix}${vendor}/${id}`);
  if (model === undefined) return failed(vscode.l10n.t('The editor does not offer this model any more.'), false);
  const source = new vscode.CancellationTokenSource();
  const cancel = () => {
    source.cancel();
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const justification = vscode.l10n.t('To judge rollouts for a training set, as you asked for.');
    const message = vscode.LanguageModelChatMessage.User(prompt);
    const response = await model.sendRequest([message], { justification }, source.token);
    let text = '';
    for await (const piece of response.text) {
      text += piece;
      if (text.length > mostCharacters) break;
    }
    signal.throwIfAborted();
    if (text.trim() === '') return failed(vscode.l10n.t('The judge sent an empty answer.'), true);
    return { text, failure: null, retryAfterMs: null, again: true };
  } catch (error) {
    signal.throwIfAborted();
    return failed(messageOf(error), !(error instanceof vscode.LanguageModelError && isFinal(error)));
  } finally {
    signal.removeEventListener('abort', cancel);
    source.dispose();
  }
}

/** No consent, no such model, blocked: asking again cannot help. */
function isFinal({ code }: vscode.LanguageModelError): boolean {
  const final = [
    vscode.LanguageModelError.NoPermissions(),
    vscode.LanguageModelError.Blocked(),
    vscode.LanguageModelError.NotFound(),
  ];
  return final.some((error) => error.code === code);
}

function failed(failure: string, again: boolean): JudgeAnswer {
  return { text: null, failure, retryAfterMs: null, again };
}
