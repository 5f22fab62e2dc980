/**
 * Keys of endpoints in VS Code's secret storage, each kept for the origin it was set for: another endpoint never gets it.
 * Knows of VS Code only the storage it is handed. Leaves out asking for a key (views).
 */

/** The part of vscode.SecretStorage that is used. */
export interface Secrets {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
}

/** Whose key it is: judges and replay servers do not share theirs. */
export type KeyOwner = 'judge' | 'replay';

/** The key for an endpoint's address, or null. */
export async function endpointKey(secrets: Secrets, owner: KeyOwner, address: string): Promise<string | null> {
  return (await secrets.get(nameOf(owner, address))) ?? null;
}

/** Where a key is to be kept. */
export interface KeptKey {
  readonly owner: KeyOwner;
  readonly address: string;
  /** Null removes it. */
  readonly key: string | null;
}

/** Keeps a key for an endpoint's address. */
export async function setEndpointKey(secrets: Secrets, { owner, address, key }: KeptKey): Promise<void> {
  const name = nameOf(owner, address);
  await (key === null ? secrets.delete(name) : secrets.store(name, key));
}

function nameOf(owner: KeyOwner, address: string): string {
  return `${owner}.key ${new URL(address).origin}`;
}
