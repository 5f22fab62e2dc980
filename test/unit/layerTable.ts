/**
 * Who may import whom, as data: layers.test.ts walks the imports, documents.test.ts compares it with ARCHITECTURE.md.
 */

/** Folder (or entry file) → what it may import besides itself. `node` is every `node:` module. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  'src/base': [],
  'src/model': ['src/base'],
  'src/protocol': ['src/model', 'src/base', 'vscode-jsonrpc'],
  'src/analysis': ['src/model', 'src/base', '@lezer/common', '@lezer/python'],
  // Hashes of prompts and decompression are pure; bytes come through Source, never from node:fs.
  'src/readers': ['src/model', 'src/base', 'node:crypto', 'node:zlib', 'yauzl', 'fzstd'],
  'src/store': ['src/model', 'src/base', 'node', '@duckdb/node-api'],
  'src/transcript': ['src/model', 'src/base', 'src/protocol'],
  'src/engine': [
    'src/readers',
    'src/analysis',
    'src/store',
    'src/transcript',
    'src/protocol',
    'src/model',
    'src/base',
    'node',
    'fzstd',
  ],
  'src/processes': [
    'src/engine',
    'src/readers',
    'src/analysis',
    'src/store',
    'src/protocol',
    'src/model',
    'src/base',
    'node',
    'vscode-jsonrpc/node',
  ],
  'src/cli.ts': [
    'src/engine',
    'src/readers',
    'src/analysis',
    'src/store',
    'src/transcript',
    'src/protocol',
    'src/model',
    'src/base',
    'node',
    'package.json',
  ],
  'src/host': ['src/protocol', 'src/model', 'src/base', 'node', 'vscode', 'yauzl'],
  'src/views': ['src/host', 'src/protocol', 'src/model', 'src/base', 'node', 'vscode'],
  'src/extension.ts': ['src/views', 'src/host', 'vscode', 'vscode-jsonrpc/node'],
  'webview/ui': ['src/protocol', 'src/model', 'src/base', '@vscode/webview-ui-toolkit', 'vscode-jsonrpc/browser'],
  'webview/fieldMapping': ['webview/ui', 'src/protocol', 'src/model', 'src/base'],
  'webview/charts': ['webview/ui', 'src/protocol', 'src/model', 'src/analysis', 'src/base', 'd3'],
};
