/**
 * The bytes of one picture of a rollout, fetched slice by slice (a message is at most 1 MB).
 * Leaves out what the bytes are (imageKind.ts) and showing them (VS Code's own preview does).
 */
import { UserError } from '../../base/errors.ts';
import { sizeText } from '../../base/numberText.ts';
import type { RolloutAddress } from '../../host/rolloutAddress.ts';
import type { Translator } from '../../host/translator.ts';
import type { EngineApi } from '../../protocol/engine.ts';
import type { Client } from '../../protocol/rpc.ts';

/** More than any screenshot; a log can claim anything. */
const mostBytes = 64_000_000;

/** Which picture, and the words for what goes wrong. */
interface FetchOptions {
  readonly address: Pick<RolloutAddress, 'ref' | 'path'>;
  readonly image: number;
  readonly l10n: Translator;
}

/** All bytes of a picture; a UserError where the log has none or the engine stops giving bytes. */
export async function fetchImage(
  engine: Pick<Client<EngineApi>, 'image'>,
  { address, image, l10n }: FetchOptions,
): Promise<Uint8Array> {
  const wanted = { ref: address.ref, path: address.path, image };
  let slice = await engine.image({ ...wanted, first: 0 });
  const { sizeBytes } = slice;
  if (sizeBytes > mostBytes)
    throw new UserError(l10n.t('This picture has {0}, more than can be shown.', sizeText(sizeBytes)));
  if (slice.bytes.length === sizeBytes) return slice.bytes;
  const all = new Uint8Array(sizeBytes);
  let filled = 0;
  for (;;) {
    all.set(slice.bytes.subarray(0, sizeBytes - filled), filled);
    filled += slice.bytes.length;
    if (filled >= sizeBytes) return all;
    if (slice.bytes.length === 0) {
      throw new UserError(l10n.t('The log changed while this picture was read.'), l10n.t('Open it again.'));
    }
    slice = await engine.image({ ...wanted, first: filled });
  }
}
