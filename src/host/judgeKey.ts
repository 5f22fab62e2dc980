/**
 * Keys of endpoints in VS Code's secret storage, each kept for the origin it was set for: another endpoint never gets it.
 * Knows of VS Code only the storage it is handed. Leaves out asking for a key (views/curate).
 */

/** The part of vscode.SecretStorage that is used. */
export interface Secrets {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
}

/** The key for an endpoint's address, or null. */
export async function judgeKey(secrets: Secrets, address: string): Promise<string | null> {
  return (await secrets.get(nameOf(address))) ?? null;
}

/** Keeps a key for an endpoint's address; null removes it. */
export async function setJudgeKey(secrets: Secrets, address: string, key: string | null): Promise<void> {
  await (key === null ? secrets.delete(nameOf(address)) : secrets.store(nameOf(address), key));
}

function nameOf(address: string): string {
  return `judge.key ${new URL(address).origin}`;
}
