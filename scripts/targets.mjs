// The platforms a VSIX is made for, by vsce's names: the package that carries DuckDB's binaries for each, and the files of
// ONNX Runtime.
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

/**
 * vsce target → platform and architecture as ONNX Runtime's package names its folders, and what it loads from there. It has
 * no build for the other targets: there, episodes are replayed through a server only.
 */
export const onnxRuntimes = {
  'linux-x64': { folder: 'linux/x64', libraries: ['libonnxruntime.so.1'] },
  'linux-arm64': { folder: 'linux/arm64', libraries: ['libonnxruntime.so.1'] },
  // The package holds it twice, by two names; the binding loads this one.
  'darwin-arm64': { folder: 'darwin/arm64', libraries: ['libonnxruntime.1.dylib'] },
  'win32-x64': { folder: 'win32/x64', libraries: ['onnxruntime.dll', 'DirectML.dll', 'dxcompiler.dll', 'dxil.dll'] },
  'win32-arm64': {
    folder: 'win32/arm64',
    libraries: ['onnxruntime.dll', 'DirectML.dll', 'dxcompiler.dll', 'dxil.dll'],
  },
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
