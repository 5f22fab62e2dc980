/**
 * URIs of transcripts and of their pictures: the path is for people (tabs, breadcrumbs, the language by its ending), the
 * identity is the query of host/rolloutAddress.ts, so that a restored tab opens whatever its path says. Pure: a
 * vscode.Uri is made with `Uri.from(...)`.
 */
import { rolloutScheme, transcriptEnding, type AddressParts, type RolloutAddress } from '../../host/rolloutAddress.ts';

/** What an address names besides a transcript: one of its pictures. */
export interface ImageAddress extends RolloutAddress {
  readonly image: number;
}

/** "/<run name>/<file>/17 row 4.trajectory"; of the rest of a turn "/<run>/<file>/4/turn-3.part-1.trajectory". */
export function transcriptUri(address: RolloutAddress, runName: string): AddressParts {
  const { ref, rest } = address;
  // The file's stem too: tabs show only this last part, and every step has a row 4.
  const stem = segment(/([^/\\]*?)(\.[^./\\]*)?$/.exec(ref.file)?.[1] ?? '');
  const name = rest === null ? `${stem} row ${ref.row}` : `${ref.row}/turn-${rest.turn + 1}.part-${rest.part + 1}`;
  return {
    scheme: rolloutScheme,
    path: `${folderOf(address, runName)}/${name}${transcriptEnding}`,
    query: queryOf(address, {}),
  };
}

/** "/<run name>/<file>/<row>/image-1.png": the ending is what tells VS Code's own preview that it is a picture. */
export function imageUri(address: ImageAddress, runName: string, extension: string): AddressParts {
  const { ref, image } = address;
  const path = `${folderOf(address, runName)}/${ref.row}/image-${image + 1}.${extension}`;
  return { scheme: rolloutScheme, path, query: queryOf({ ...address, rest: null }, { image }) };
}

/** Index of the picture that a URI of ours names; null where it names none. */
export function imageOf(query: string): number | null {
  try {
    const value: unknown = JSON.parse(query);
    if (typeof value !== 'object' || value === null || !('image' in value)) return null;
    const { image } = value;
    return typeof image === 'number' && Number.isSafeInteger(image) && image >= 0 ? image : null;
  } catch {
    return null;
  }
}

/** The run's name as the path of a URI of ours gives it; for titles only. */
export function runNameOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function queryOf({ ref, path, rest }: RolloutAddress, more: { readonly image?: number }): string {
  const { run, file, row } = ref;
  return JSON.stringify({
    run,
    file,
    row,
    path,
    ...(rest === null ? {} : { turn: rest.turn, part: rest.part }),
    ...more,
  });
}

function folderOf({ ref }: RolloutAddress, runName: string): string {
  const segments = [
    segment(runName),
    ...ref.file
      .split(/[/\\]+/)
      .filter((part) => part !== '')
      .map(segment),
  ];
  return `/${segments.join('/')}`;
}

/** One segment of a path: no separators, no control characters, never "." or "..", which VS Code would resolve. */
function segment(text: string): string {
  const clean = text.replace(/[/\\\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ').trim();
  return clean === '' || /^\.+$/.test(clean) ? '_' : clean;
}
