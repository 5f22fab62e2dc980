/**
 * A mapping of fields as a JSON file that people pass on: {"rolloutLensFieldMapping": 1, "fields": {…}}. Pure; what
 * is imported is foreign, so each part is checked. Leaves out dialogs.
 */
import { isObject } from '../../base/json.ts';
import type { FieldMapping } from '../../model/fieldMapping.ts';

const versionKey = 'rolloutLensFieldMapping';

/** The text of the file. */
export function mappingText(mapping: FieldMapping): string {
  return `${JSON.stringify({ [versionKey]: 1, fields: mapping }, null, 2)}\n`;
}

/** The mapping that a file holds, of the fields named; null where it holds none of them. */
export function mappingFrom(text: string, names: readonly string[]): FieldMapping | null {
  const value = parsed(text);
  if (!isObject(value)) return null;
  const fields = isObject(value['fields']) ? value['fields'] : {};
  const entries = names.flatMap((name): (readonly [string, string | null])[] => {
    const path = fields[name];
    return path === null || typeof path === 'string' ? [[name, path]] : [];
  });
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
