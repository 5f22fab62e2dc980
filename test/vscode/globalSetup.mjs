// Before the tests in the real VS Code: that VS Code, Chromium, and the VSIX that `npm run package` made.
//
// Leaves out: building (a test run must never test another thing than what was packaged).
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packagePath, platformTarget } from '../../scripts/targets.mjs';
import { installVisualStudioCode } from './install.mjs';

const repository = path.resolve(import.meta.dirname, '../..');

/** vitest's hook: what is provided here, tests read with inject() (launch.ts). */
export async function setup(project) {
  const installation = await installVisualStudioCode({ browser: true });
  const manifest = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8'));
  const vsix = process.env.ROLLOUT_LENS_VSIX ?? path.join(repository, packagePath(manifest, platformTarget()));
  if (!existsSync(vsix)) throw new Error(`${vsix} is missing: run "npm run package" first.`);
  project.provide('installation', installation);
  project.provide('vsix', vsix);
}
