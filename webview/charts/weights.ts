/**
 * The weights of the published script and the names of the modes: what controls, charts and saved state share.
 * Leaves out the controls (weightControls.ts).
 */
import { DEFAULT_ACC_WEIGHT, DEFAULT_TOOL_WEIGHT, type ContributionMode } from '../../src/analysis/contributions.ts';
import type { Weights } from './panelChart.ts';

/** The weights of the published script. */
export const publishedWeights: Weights = { acc: DEFAULT_ACC_WEIGHT, tool: DEFAULT_TOOL_WEIGHT };

/** How the modes are called on the page, in their order. */
export const modeNames: Readonly<Record<ContributionMode, string>> = {
  'loss-weighted': 'loss-weighted',
  plain: 'plain',
  'by-sequence': 'by sequence',
};
