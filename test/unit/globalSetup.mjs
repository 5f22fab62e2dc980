// Before the unit tests: a GPU in software, so that WebGPU is tested where there is none.
//
// Leaves out the real VS Code (test/vscode/globalSetup.mjs).
import { installSoftwareGpu } from '../vscode/install.mjs';

/** vitest's hook. */
export async function setup() {
  await installSoftwareGpu();
}
