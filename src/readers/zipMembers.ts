/**
 * The members of a zip archive over a Source: listed by its central directory (yauzl, of which this is the one importer
 * among the readers), opened one at a time, never unpacked whole. Names are compared, never used as paths.
 * A member's place is its bytes in the archive, local header through data, so that it opens again without the directory.
 * Leaves out what a member means, encryption, and methods other than stored, deflate (8) and zstd (93).
 */
import zlib from 'node:zlib';
import { type Entry, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl';
import { messageOf } from '../base/errors.ts';
import type { ByteRange } from '../model/rollout.ts';
import { asBuffer } from './parseJson.ts';
import type { Source } from './source.ts';
import { tooLarge, unpackZstd, type Unpacked } from './zstd.ts';

/** A member as the directory has it; what it says of sizes may be a lie. */
export interface ZipMember {
  readonly name: string;
  /** Of the local header. */
  readonly offset: number;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
}

/** The members in the order of their local headers; `broken` says why there may be more, null if there are not. */
export interface ZipDirectory {
  readonly members: readonly ZipMember[];
  readonly broken: string | null;
}

/** A member that was opened, or why it cannot be. */
export type OpenedMember = Unpacked & {
  /** As its own header has it; '' where there is none. */
  readonly name: string;
  /** Null where not even its end is known. */
  readonly place: ByteRange | null;
};

/** Members listed at most; an evaluation has a few thousand. */
const mostMembers = 500_000;
const windowBytes = 256 * 1024;
const headerBytes = 30;
const headerMagic = 0x04034b50;
const encryptedFlag = 0x1;
const sizesBehindFlag = 0x8;

/** Lists an archive. Rejects only if the source cannot be read; what yauzl refuses is told in `broken`. */
export async function listZip(source: Source): Promise<ZipDirectory> {
  const members: ZipMember[] = [];
  let broken: string | null = null;
  const reader = new WindowReader(source);
  try {
    const archive = await openArchive(reader, source.sizeBytes);
    reader.broke = (error) => archive.emit('error', error);
    for await (const entry of archive.eachEntry()) {
      if (members.length === mostMembers) {
        broken = `it has more than ${mostMembers} members`;
        break;
      }
      members.push(memberOf(entry));
    }
  } catch (error) {
    if (reader.failure !== null) throw reader.failure;
    broken = messageOf(error);
  }
  // Python's zipfile appends, so the order of offsets is the order of writing, and stays when the archive grows.
  members.sort((one, other) => one.offset - other.offset);
  return { members, broken };
}

/** Opens a listed member. Rejects only if the source cannot be read. */
export async function openMember(source: Source, member: ZipMember, maximumBytes: number): Promise<OpenedMember> {
  const header = asBuffer(await source.read(member.offset, headerBytes));
  const dataFirst = dataFirstOf(header);
  if (dataFirst < 0) return { ok: false, reason: 'its header is damaged', name: '', place: null };
  const place = { first: member.offset, count: dataFirst + member.packedBytes };
  if (place.first + place.count > source.sizeBytes) {
    return { ok: false, reason: 'it ends behind the end of the archive', name: '', place: null };
  }
  if (member.unpackedBytes > maximumBytes || member.packedBytes > maximumBytes) {
    return { ok: false, reason: tooLarge(maximumBytes), name: member.name, place };
  }
  const opened = await openAt(source, place, member.unpackedBytes);
  if (opened.ok && opened.bytes.length !== member.unpackedBytes) {
    const reason = `it has ${opened.bytes.length} bytes, its directory says ${member.unpackedBytes}`;
    return { ok: false, reason, name: member.name, place };
  }
  return opened;
}

/** Opens a member again by its place. Rejects only if the source cannot be read. */
export async function openMemberAt(source: Source, place: ByteRange, maximumBytes: number): Promise<OpenedMember> {
  if (place.count > 2 * maximumBytes) return { ok: false, reason: tooLarge(maximumBytes), name: '', place };
  return openAt(source, place, maximumBytes);
}

async function openAt(source: Source, place: ByteRange, limit: number): Promise<OpenedMember> {
  const bytes = asBuffer(await source.read(place.first, place.count));
  const dataFirst = dataFirstOf(bytes);
  if (bytes.length < place.count || dataFirst < 0 || dataFirst > bytes.length) {
    return { ok: false, reason: 'it is cut, or there is no member any more', name: '', place };
  }
  const name = bytes.toString('utf8', headerBytes, headerBytes + bytes.readUInt16LE(26));
  const flags = bytes.readUInt16LE(6);
  if ((flags & encryptedFlag) !== 0) return { ok: false, reason: 'it is encrypted', name, place };
  const unpacked = await unpackData(bytes.subarray(dataFirst), bytes.readUInt16LE(8), limit);
  // Absent before Node 20.15, which the types do not say.
  const { crc32 } = zlib as { readonly crc32?: typeof zlib.crc32 };
  const hasChecksum = (flags & sizesBehindFlag) === 0 && crc32 !== undefined;
  if (unpacked.ok && hasChecksum && crc32(unpacked.bytes) !== bytes.readUInt32LE(14)) {
    return { ok: false, reason: 'its checksum is wrong', name, place };
  }
  return { ...unpacked, name, place };
}

/** Offset of the data from the local header; -1 where there is no header. */
function dataFirstOf(header: Buffer): number {
  if (header.length < headerBytes || header.readUInt32LE(0) !== headerMagic) return -1;
  return headerBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
}

async function unpackData(packed: Buffer, method: number, limit: number): Promise<Unpacked> {
  switch (method) {
    case 0:
      return packed.length > limit ? { ok: false, reason: tooLarge(limit) } : { ok: true, bytes: packed };
    case 8:
      return inflate(packed, limit);
    case 93:
      return unpackZstd(packed, limit);
    default:
      return { ok: false, reason: `its compression (method ${method}) is not known here` };
  }
}

async function inflate(packed: Buffer, limit: number): Promise<Unpacked> {
  return new Promise((resolve) => {
    zlib.inflateRaw(packed, { maxOutputLength: Math.max(1, limit) }, (error, bytes) => {
      if (error === null) {
        resolve(bytes.length > limit ? { ok: false, reason: tooLarge(limit) } : { ok: true, bytes });
      } else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
        resolve({ ok: false, reason: tooLarge(limit) });
      } else {
        resolve({ ok: false, reason: `its deflate data is damaged (${messageOf(error)})` });
      }
    });
  });
}

function memberOf(entry: Entry): ZipMember {
  return {
    // Whatever its flag says: producers write ASCII or UTF-8.
    name: entry.fileNameRaw.toString('utf8'),
    offset: entry.relativeOffsetOfLocalHeader,
    packedBytes: entry.compressedSize,
    unpackedBytes: entry.uncompressedSize,
  };
}

async function openArchive(reader: WindowReader, sizeBytes: number): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    reader.broke = reject;
    // Names are not decoded by yauzl, which would give up the whole archive for one that is absolute.
    const options = { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: false };
    fromRandomAccessReader(reader, sizeBytes, options, (error, archive) => {
      if (error === null) resolve(archive);
      else reject(error);
    });
  });
}

/** yauzl's view of a Source: it reads headers of a few bytes, so a window of 256 KB is kept. */
class WindowReader extends RandomAccessReader {
  /** Why the source could not be read; null while it can. */
  failure: Error | null = null;
  /** Takes what yauzl throws while it is called back. */
  broke: (error: Error) => void = () => undefined;
  readonly #source: Source;
  #window: Buffer = Buffer.alloc(0);
  #first = 0;

  constructor(source: Source) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    const answer = (): void => {
      const from = position - this.#first;
      const bytesRead = this.#window.copy(buffer, offset, from, from + length);
      try {
        callback(null, bytesRead);
      } catch (error) {
        this.broke(error instanceof Error ? error : new Error(String(error)));
      }
    };
    if (position >= this.#first && position + length <= this.#first + this.#window.length) {
      answer();
      return;
    }
    // A lie of the directory must not become an error of the file system.
    if (position + length > this.#source.sizeBytes) {
      this.#window = Buffer.alloc(0);
      this.#first = position;
      answer();
      return;
    }
    this.#source.read(position, Math.max(length, windowBytes)).then(
      (bytes) => {
        this.#window = asBuffer(bytes);
        this.#first = position;
        answer();
      },
      (error: unknown) => {
        this.failure = error instanceof Error ? error : new Error(String(error));
        callback(this.failure);
      },
    );
  }
}
