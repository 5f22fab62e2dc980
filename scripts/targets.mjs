// The platforms a VSIX is made for, by vsce's names, and the package that carries DuckDB's binaries for each.
//
// Leaves out: making the VSIX (package.mjs).

/** vsce target → what `@duckdb/node-bindings-` ends in. A table, so that a platform is one line. */
export const targets = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'alpine-x64': 'linux-x64-musl',
  'alpine-arm64': 'linux-arm64-musl',
  'darwin-x64': 'darwin-x64',
  'darwin-arm64': 'darwin-arm64',
  'win32-x64': 'win32-x64',
  'win32-arm64': 'win32-arm64',
};

/** vsce's name of this machine's platform. */
export function platformTarget() {
  const musl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
  return `${musl ? 'alpine' : process.platform}-${process.arch}`;
}

/** Where the VSIX of a target is written, relative to the clone. */
export function packagePath(manifest, target) {
  return `out/${manifest.name}-${target}-${manifest.version}.vsix`;
}
