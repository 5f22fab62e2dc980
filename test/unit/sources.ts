/** Our TypeScript sources as the tests of the whole see them: path, text, and what each imports. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** Root of the repository. */
export const root = path.join(import.meta.dirname, '..', '..');

/** One source file; paths are relative to the root, with '/'. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** What it imports: a path relative to the root for a file of ours, else the module's name. */
  readonly imports: readonly string[];
}

/** All sources below a folder of the repository. */
export function sourcesBelow(folder: string): readonly SourceFile[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.replaceAll('\\', '/')))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
    .map((name) => {
      const text = readFileSync(path.join(root, name), 'utf8');
      return { path: name, text, imports: importsOf(name, text) };
    });
}

function importsOf(name: string, text: string): readonly string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) =>
      fileName.startsWith('.') ? path.posix.normalize(path.posix.join(path.posix.dirname(name), fileName)) : fileName,
    );
}
