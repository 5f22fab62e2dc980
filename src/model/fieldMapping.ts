/**
 * Which field of a home-made log means what: the mapping that the generic reader guesses and the user corrects.
 * Data only. Leaves out the guess (readers/fieldMapping.ts) and where mappings are kept (engine/fieldMappings.ts).
 */

/** Name of a field of ours ("question", "reward") → dotted path in a record ("meta.score"), null for none. */
export type FieldMapping = Readonly<Record<string, string | null>>;
