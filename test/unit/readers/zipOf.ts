// Makes zip archives, honest ones and lying ones, without a zip library: what a reader must survive no library writes.
import zlib from 'node:zlib';

/** A member to be written. */
export interface MemberDraft {
  readonly name: string;
  readonly content: string | Buffer;
  /** 0 stored, 8 deflate, 93 zstd; deflate unless said. */
  readonly method?: number;
  /** What header and directory say instead of the truth. */
  readonly lies?: {
    readonly unpackedBytes?: number;
    readonly packedBytes?: number;
    readonly offset?: number;
    readonly checksum?: number;
    readonly method?: number;
    readonly encrypted?: true;
  };
  /** The data as it is, instead of the packed content. */
  readonly packed?: Buffer;
}

/** The bytes of an archive with these members in this order. */
export function zipOf(members: readonly MemberDraft[], comment = ''): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, method = 8, lies = {}, packed } of members) {
    const bytes = Buffer.from(content);
    const data = packed ?? pack(bytes, method);
    const nameBytes = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(method === 93 ? 63 : 20, 0);
    fields.writeUInt16LE(lies.encrypted ? 1 : 0, 2);
    fields.writeUInt16LE(lies.method ?? method, 4);
    fields.writeUInt32LE(0x5c221883, 6);
    fields.writeUInt32LE(lies.checksum ?? zlib.crc32(bytes), 10);
    fields.writeUInt32LE(lies.packedBytes ?? data.length, 14);
    fields.writeUInt32LE(lies.unpackedBytes ?? bytes.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes, data]);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(lies.offset ?? offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), fields, end, nameBytes);
    pieces.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  return Buffer.concat([...pieces, listed, end, Buffer.from(comment)]);
}

function pack(bytes: Buffer, method: number): Buffer {
  if (method === 8) return zlib.deflateRawSync(bytes);
  return method === 93 ? zstdOf(bytes, 2) : bytes;
}

const mostBlockBytes = 100_000;

/** A zstd file of so many frames with raw blocks: Node 20 has no encoder, and none of ours may be needed to read it. */
export function zstdOf(bytes: Buffer, frames: number): Buffer {
  const pieces: Buffer[] = [];
  const frameBytes = Math.max(1, Math.ceil(bytes.length / frames));
  for (let first = 0; first === 0 || first < bytes.length; first += frameBytes) {
    const content = bytes.subarray(first, first + frameBytes);
    const header = Buffer.alloc(9);
    header.writeUInt32LE(0xfd2fb528, 0);
    // One segment, size in four bytes.
    header[4] = 0xa0;
    header.writeUInt32LE(content.length, 5);
    pieces.push(header);
    for (let at = 0; at === 0 || at < content.length; at += mostBlockBytes) {
      const block = content.subarray(at, at + mostBlockBytes);
      const last = at + mostBlockBytes >= content.length ? 1 : 0;
      const blockHeader = Buffer.alloc(3);
      blockHeader.writeUIntLE((block.length << 3) | last, 0, 3);
      pieces.push(blockHeader, block);
    }
  }
  return Buffer.concat(pieces);
}
