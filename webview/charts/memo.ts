/**
 * What was computed of a run's columns, kept as long as they are the same: columns are new objects whenever their run
 * changed, and go with them. Leaves out what is computed.
 */

/** Gives what was made for this owner and key, or makes it; an owner keeps the last key only. */
export type Memo<Value> = (owner: object, key: string, make: () => Value) => Value;

/** A memo of its own. */
export function makeMemo<Value>(): Memo<Value> {
  const kept = new WeakMap<object, { readonly key: string; readonly value: Value }>();
  return (owner, key, make) => {
    const found = kept.get(owner);
    if (found?.key === key) return found.value;
    const value = make();
    kept.set(owner, { key, value });
    return value;
  };
}
