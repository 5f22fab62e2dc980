/**
 * The environment of a child process of ours: the user's, without what would make Node or Electron behave like the
 * editor. Pure, so that a test holds it. Owned by childProcess.ts.
 */

/** A copy of the environment without NODE_OPTIONS, VSCODE_* and ELECTRON_*, and with ELECTRON_RUN_AS_NODE=1. */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const kept = Object.entries(environment).filter(([name]) => !/^(NODE_OPTIONS$|VSCODE_|ELECTRON_)/i.test(name));
  return { ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: '1' };
}
