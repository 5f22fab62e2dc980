/**
 * A model choice → a backend and its tokenizer: a folder through ONNX Runtime, or a server. Owned by replayMain.ts and the
 * command line. The native library is loaded on the first folder that is opened, never for a server.
 * Leaves out both backends (local.ts, remote.ts).
 */
import type { ModelChoice } from '../protocol/replay.ts';
import type { PolicyBackend } from './backend.ts';
import { openPolicyTokens, type PolicyTokens } from './policyTokens.ts';
import { openRemoteBackend } from './remote.ts';
import { openRemoteTokens } from './remoteTokens.ts';
import type { Request } from './requests.ts';

/** A model that is loaded. */
export interface OpenModel {
  readonly backend: PolicyBackend;
  readonly tokens: PolicyTokens;
}

/** How loading is watched, stopped and connected. */
export interface OpenModelOptions {
  readonly signal: AbortSignal;
  /** What is being done, a sentence without a full stop. */
  readonly tell: (doing: string) => void;
  /** The network: the host's, with its proxy and key. */
  readonly request: Request;
}

/** Loads a model. Rejects with UserError where it cannot be used. */
export async function openModel(choice: ModelChoice, options: OpenModelOptions): Promise<OpenModel> {
  switch (choice.kind) {
    case 'local': {
      const tokens = await openPolicyTokens(choice.folder);
      const { openLocalBackend } = await import('./local.ts');
      return { backend: await openLocalBackend(choice, options), tokens };
    }
    case 'remote': {
      const tokens =
        choice.tokenizerFolder === null
          ? await openRemoteTokens(choice, options)
          : await openPolicyTokens(choice.tokenizerFolder);
      return { backend: await openRemoteBackend(choice, { ...options, tokens }), tokens };
    }
  }
}
