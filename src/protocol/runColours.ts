/**
 * The colours of runs, in order: theme colour ids that sidebar dots and chart lines share, so that a run looks the
 * same in both. Owned by host/session.ts (which run has which index). Leaves out accuracy (always charts.blue) and
 * efficiency (always charts.orange), which are colours of a measure; a run gets these two only after the others.
 */

/** Theme colour ids by colour index; a webview writes `charts.green` as `--vscode-charts-green`. */
export const runColours: readonly string[] = [
  'charts.green',
  'charts.purple',
  'charts.red',
  'charts.yellow',
  'charts.blue',
  'charts.orange',
];
