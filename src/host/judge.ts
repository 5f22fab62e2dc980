/**
 * The judge as the engine asks it: an endpoint named by the settings or a model of the editor, and only while a round that
 * the user agreed to is open. One a window. The engine asks again, caches and resumes; here nothing is kept.
 * Leaves out HTTP (protocol/judgeEndpoint.ts), the editor's models (judgeEditor.ts) and agreeing (views/curate).
 */
import * as vscode from 'vscode';
import type { JudgeChoice, JudgeChoices } from '../protocol/curatePage.ts';
import type { JudgeHostApi } from '../protocol/curation.ts';
import { askEndpoint, endpointAddress, judgeTimeoutMs, type JudgeAnswer } from '../protocol/judgeEndpoint.ts';
import type { Handlers } from '../protocol/rpc.ts';
import { onSettingChange, setting } from './config.ts';
import { endpointKey, setEndpointKey } from './endpointKey.ts';
import { askEditor, editorJudges, isEditorJudge } from './judgeEditor.ts';
import { judgeSentences } from './judgeEndpoint.ts';

/** The judge of a window. */
export interface Judge extends vscode.Disposable {
  /** What the engine is served. */
  readonly handlers: Handlers<JudgeHostApi>;
  choices(): Promise<JudgeChoices>;
  /** Lets the engine ask this judge until the round is closed; only after the user agreed. */
  openRound(judge: string): vscode.Disposable;
  /** Requests in flight, 1 to 64. */
  concurrency(): number;
  /** The endpoint that is set, its address as it is asked; null where none is. */
  endpoint(): string | null;
  /** Keeps a key for the endpoint that is set; null removes it. */
  setKey(key: string | null): Promise<void>;
  /** Settings or key changed. */
  readonly onDidChange: vscode.Event<void>;
}

const mostInFlight = 64;

/** Opens the judge; nothing is sent before a round is opened. */
export function openJudge(context: vscode.ExtensionContext): Judge {
  const { l10n } = vscode;
  const changed = new vscode.EventEmitter<void>();
  const rounds = new Map<string, number>();

  const endpoint = (): string | null => endpointAddress(setting('judge.endpoint'));
  const endpointJudge = (): JudgeChoice | null => {
    const address = endpoint();
    const model = setting('judge.model').trim();
    if (address === null || model === '') return null;
    const name = `${model} at ${address}`;
    return { id: name, label: name, kind: 'endpoint' };
  };
  const never = (failure: string): JudgeAnswer => ({ text: null, failure, retryAfterMs: null, again: false });

  const ask: Handlers<JudgeHostApi>['askJudge'] = async ({ judge, prompt, maximumTokens }, signal) => {
    if (!rounds.has(judge)) return never(l10n.t('Nobody agreed to ask this judge.'));
    if (!vscode.workspace.isTrusted) return never(l10n.t('This workspace is not trusted, so nothing is sent.'));
    if (isEditorJudge(judge)) return askEditor(judge, prompt, signal);
    const address = endpoint();
    if (address === null || endpointJudge()?.id !== judge) {
      return never(l10n.t('The settings of the judge were changed while it was asked.'));
    }
    const key = await endpointKey(context.secrets, 'judge', address);
    const model = setting('judge.model').trim();
    return askEndpoint(
      { prompt, maximumTokens },
      { endpoint: { address, model, key }, fetch, signal, timeoutMs: judgeTimeoutMs, sentences: judgeSentences(l10n) },
    );
  };

  const subscriptions = [
    changed,
    onSettingChange(['judge.endpoint', 'judge.model'], () => {
      changed.fire();
    }),
    context.secrets.onDidChange(() => {
      changed.fire();
    }),
    vscode.lm.onDidChangeChatModels(() => {
      changed.fire();
    }),
  ];

  return {
    handlers: { askJudge: ask },
    choices: async () => {
      const [mine, editor] = [endpointJudge(), await editorJudges()];
      const notes = [
        ...(mine === null ? [missing()] : []),
        ...(editor.length === 0
          ? [l10n.t('This editor offers no language models of its own (code-server has none).')]
          : []),
      ];
      const address = endpoint();
      const hasKey = address !== null && (await endpointKey(context.secrets, 'judge', address)) !== null;
      return { judges: [...(mine === null ? [] : [mine]), ...editor], notes, hasKey };
    },
    openRound: (judge) => {
      rounds.set(judge, (rounds.get(judge) ?? 0) + 1);
      let closed = false;
      return {
        dispose: () => {
          if (closed) return;
          closed = true;
          const others = (rounds.get(judge) ?? 1) - 1;
          if (others === 0) rounds.delete(judge);
          else rounds.set(judge, others);
        },
      };
    },
    concurrency: () => Math.min(mostInFlight, Math.max(1, Math.round(setting('judge.concurrency')))),
    endpoint,
    setKey: async (key) => {
      const address = endpoint();
      if (address !== null) await setEndpointKey(context.secrets, { owner: 'judge', address, key });
    },
    onDidChange: changed.event,
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}

/** Why no endpoint can be asked. */
function missing(): string {
  const { l10n } = vscode;
  const given = setting('judge.endpoint').trim();
  if (given === '') return l10n.t('No endpoint is set: name an OpenAI-compatible one in the settings.');
  if (endpointAddress(given) === null) {
    return l10n.t('The endpoint in the settings is no http or https address: {0}', given);
  }
  return l10n.t('The endpoint {0} is set, its model is not: name it in the settings.', given);
}
