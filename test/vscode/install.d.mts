// Types of install.mjs, which is plain JavaScript because it must run before anything is built.

/** The Node that runs code-server and the script to run; both absolute paths. */
export interface Installation {
  readonly node: string;
  readonly entry: string;
}

/** The Chromium to drive, or undefined where there is none. */
export function findBrowser(): string | undefined;

/** Makes sure that the pinned VS Code is there, installing it on first use; throws with a sentence on what to install. */
export function installVisualStudioCode(needs: { readonly browser: boolean }): Promise<Installation>;

/** Installs the software GPU of the unit tests where this machine can do it by itself; never throws. */
export function installSoftwareGpu(): Promise<void>;
