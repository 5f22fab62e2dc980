/**
 * The slow path: values of wanted positions from the logits themselves, for graphs that the scoring head does not fit.
 * Also the reference that the head is tested against, since it shares no arithmetic with it.
 * Owned by decoder.ts. Leaves out anything but arithmetic on one tensor of logits [B, S, V].
 */
import { UserError } from '../base/errors.ts';
import type { HeadValues, Wanted } from './decoder.ts';
import type { OrtTensor } from './ortSession.ts';

/** Reads logits of 16 or 32 bits; `count` is the tokens that were run. Throws TypeError on others. */
export function valuesOfLogits(
  logits: OrtTensor,
  { wanted, alternatives, count }: { readonly wanted: Wanted; readonly alternatives: number; readonly count: number },
): HeadValues {
  const [batch = 0, rows = 0, width = 0] = logits.dims;
  if (rows !== count) throw new UserError('The graph gives logits of the last token only: it cannot score a text.');
  const rowAt = rowReader(logits.data, width);
  const { positions, targets, watched, topRows, scaledRows } = wanted;
  const wantedCount = positions.length;
  const values = {
    logprob: new Float32Array(batch * wantedCount),
    entropy: new Float32Array(batch * wantedCount),
    above: new Float32Array(batch * wantedCount),
    watched: new Float32Array(batch * wantedCount * watched.length),
    topIds: new Int32Array(batch * topRows.length * alternatives),
    topLogprobs: new Float32Array(batch * topRows.length * alternatives),
    logScaled: new Float32Array(batch * scaledRows.length),
    row: new Float32Array(batch * width),
    rowSum: new Float32Array(batch),
  };
  for (let sequence = 0; sequence < batch; sequence++) {
    positions.forEach((position, index) => {
      const row = logSoftmax(rowAt(sequence * count + position));
      const target = row.logprobs[targets[index] ?? 0] ?? Number.NaN;
      const at = sequence * wantedCount + index;
      values.logprob[at] = target;
      values.entropy[at] = row.entropy;
      values.above[at] = row.logprobs.reduce((above, value) => above + (value > target ? 1 : 0), 0);
      watched.forEach((id, column) => {
        values.watched[at * watched.length + column] = row.logprobs[id] ?? Number.NaN;
      });
      const topRow = topRows.indexOf(index);
      if (topRow >= 0) {
        const first = (sequence * topRows.length + topRow) * alternatives;
        const ids = mostProbable(row.logprobs, alternatives);
        values.topIds.set(ids, first);
        ids.forEach((id, place) => (values.topLogprobs[first + place] = row.logprobs[id] ?? Number.NaN));
      }
      const scaledRow = scaledRows.indexOf(index);
      if (scaledRow >= 0) {
        values.logScaled[sequence * scaledRows.length + scaledRow] = Math.log(scaledSum(row.logprobs, wanted.scale));
      }
      if (index === wanted.sampledRow) {
        values.row.set(row.logprobs, sequence * width);
        values.rowSum[sequence] = scaledSum(row.logprobs, wanted.scale);
      }
    });
  }
  return values;
}

function scaledSum(logprobs: Float32Array, scale: number): number {
  return logprobs.reduce((sum, value) => sum + Math.exp(value * scale), 0);
}

function rowReader(data: unknown, width: number): (row: number) => Float32Array {
  if (data instanceof Float32Array) return (row) => data.subarray(row * width, (row + 1) * width);
  if (data instanceof Uint16Array) {
    return (row) => Float32Array.from(data.subarray(row * width, (row + 1) * width), halfToNumber);
  }
  // Where the platform has Float16Array, ONNX Runtime hands that out.
  if (ArrayBuffer.isView(data) && data.constructor.name === 'Float16Array') {
    const halves = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
    return rowReader(halves, width);
  }
  throw new TypeError('The logits are neither 16-bit nor 32-bit floats.');
}

/** The number that the bits of an IEEE half stand for. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function logSoftmax(logits: Float32Array): { readonly logprobs: Float32Array; readonly entropy: number } {
  let maximum = -Infinity;
  for (const value of logits) if (value > maximum) maximum = value;
  let sum = 0;
  let weighted = 0;
  for (const value of logits) {
    const shifted = value - maximum;
    const exp = Math.exp(shifted);
    sum += exp;
    if (exp > 0) weighted += exp * shifted;
  }
  const logSum = Math.log(sum);
  return { logprobs: logits.map((value) => value - maximum - logSum), entropy: logSum - weighted / sum };
}

/** Ids of the largest values, largest first, ties by id. */
export function mostProbable(logprobs: Float32Array, count: number): readonly number[] {
  const best: number[] = [];
  const worse = (a: number, b: number): boolean => {
    const difference = (logprobs[a] ?? 0) - (logprobs[b] ?? 0);
    return difference < 0 || (difference === 0 && a > b);
  };
  for (let id = 0; id < logprobs.length; id++) {
    const last = best[best.length - 1];
    if (best.length === count && last !== undefined && !worse(last, id)) continue;
    let place = best.length;
    while (place > 0 && worse(best[place - 1] ?? 0, id)) place--;
    best.splice(place, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}
