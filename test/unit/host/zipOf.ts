/** Writes small zip archives for tests: deflated, with any names, also those that no archiver writes. */
import { crc32, deflateRawSync } from 'node:zlib';

/** The bytes of an archive with these files, in this order. */
export function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const packed = deflateRawSync(content);
    // Version, UTF-8 flag, deflate, no time; then checksum and sizes: the same in both headers.
    const shared = Buffer.alloc(26);
    [20, 0x800, 8].forEach((value, index) => shared.writeUInt16LE(value, index * 2));
    [crc32(content), packed.length, content.length].forEach((value, index) =>
      shared.writeUInt32LE(value, 10 + index * 4),
    );
    shared.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), shared, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), shared, rest, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
