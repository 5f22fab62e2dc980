/**
 * The pictures of an export: files in a folder beside it, each once whoever shows it, or data URIs inside the records.
 * The folder has a temporary name until the export is complete. Leaves out records (exportRecords.ts).
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LoggedImage } from '../../model/rollout.ts';

/** Where pictures go. */
export interface ImageWriter {
  /** How a record names a picture; null where the log does not have it. */
  name(image: LoggedImage | undefined): string | null;
  /** Resolves when all pictures so far are written. */
  caughtUp(): Promise<void>;
  /** Gives the folder its name, in place of an older one. */
  commit(): Promise<void>;
  /** Removes what was written. */
  discard(): Promise<void>;
  count(): number;
}

/** Where the pictures of an export lie. */
export interface ImageFolder {
  /** Final folder, beside the export. */
  readonly folder: string;
  readonly temporary: string;
}

const endings: readonly (readonly [ending: string, mime: string, at: number, bytes: readonly number[]])[] = [
  ['png', 'image/png', 0, [0x89, 0x50, 0x4e, 0x47]],
  ['jpg', 'image/jpeg', 0, [0xff, 0xd8, 0xff]],
  ['gif', 'image/gif', 0, [0x47, 0x49, 0x46, 0x38]],
  ['webp', 'image/webp', 8, [0x57, 0x45, 0x42, 0x50]],
  ['bmp', 'image/bmp', 0, [0x42, 0x4d]],
  ['avif', 'image/avif', 4, [0x66, 0x74, 0x79, 0x70]],
];

/** What the first bytes say; a log's MIME type is a claim. */
function kindOf(base64: string): { readonly ending: string; readonly mime: string } {
  const head = Buffer.from(base64.slice(0, 32), 'base64');
  const [ending = 'bin', mime = 'application/octet-stream'] =
    endings.find(([, , at, bytes]) => bytes.every((byte, index) => head[at + index] === byte)) ?? [];
  return { ending, mime };
}

/** Pictures inside the records. */
export function dataUris(): ImageWriter {
  let count = 0;
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    name: (image) => {
      const base64 = image?.base64 ?? null;
      if (base64 === null) return null;
      count += 1;
      return `data:${kindOf(base64).mime};base64,${base64}`;
    },
    caughtUp: nothing,
    commit: nothing,
    discard: nothing,
    count: () => count,
  };
}

/** Pictures as files; records name them relative to the folder of the export. */
export function imageFiles({ folder, temporary }: ImageFolder): ImageWriter {
  const written = new Map<string, string>();
  let waiting: Promise<void>[] = [];
  let made: Promise<unknown> | null = null;
  const write = async (name: string, base64: string): Promise<void> => {
    await (made ??= mkdir(temporary, { recursive: true }));
    await writeFile(join(temporary, name), Buffer.from(base64, 'base64'));
  };
  return {
    name: (image) => {
      const base64 = image?.base64 ?? null;
      if (base64 === null) return null;
      const hash = createHash('sha256').update(base64).digest('hex').slice(0, 24);
      const name = written.get(hash) ?? `${hash}.${kindOf(base64).ending}`;
      if (!written.has(hash)) {
        written.set(hash, name);
        waiting.push(write(name, base64));
      }
      return `${basename(folder)}/${name}`;
    },
    caughtUp: async () => {
      const all = waiting;
      waiting = [];
      await Promise.all(all);
    },
    commit: async () => {
      if (made === null) return;
      const older = `${temporary}.old`;
      // An older export's folder goes only when the new one is in its place.
      const hadOlder = await rename(folder, older).then(
        () => true,
        () => false,
      );
      await rename(temporary, folder);
      if (hadOlder) await rm(older, { recursive: true, force: true });
    },
    discard: async () => {
      await Promise.allSettled(waiting);
      await rm(temporary, { recursive: true, force: true });
    },
    count: () => written.size,
  };
}
