/**
 * What crosses for the field mapping form: between the engine and the host, and between the host and the form's page.
 * JSON-safe. Leaves out what the fields mean to the reader (readers/fieldMapping.ts).
 */
import type { FieldMapping } from '../model/fieldMapping.ts';

/** A field of a record: its dotted path and the beginning of its value in the first record that has it. */
export interface RecordField {
  readonly path: string;
  readonly sample: string;
}

/** A field of ours: its name in a mapping, its name for people, and a sentence that says what belongs there. */
export interface MappableField {
  readonly field: string;
  readonly label: string;
  readonly sentence: string;
}

/** What the form shows of one log. */
export interface MappingForm {
  /** Absolute path of the log. */
  readonly file: string;
  /** Folder for whose logs a mapping is kept. */
  readonly folder: string;
  /** The fields of ours that can be mapped, in the order of the form. */
  readonly names: readonly MappableField[];
  /** Fields of the first records, at most 300. */
  readonly fields: readonly RecordField[];
  /** The first record as JSON, at most 60,000 characters. */
  readonly record: string;
  readonly guess: FieldMapping;
  /** The mapping kept for the folder; null where the guess is used. */
  readonly saved: FieldMapping | null;
}

/** The first rollout as a mapping reads it. */
export interface MappingPreview {
  /** Why there is none; null where the record reads. */
  readonly problem: string | null;
  readonly question: string;
  readonly response: string;
  readonly reward: string;
  readonly step: string;
  readonly group: string;
  readonly turns: number;
  readonly calls: number;
}

/** Requests of the form's page to the host. `path` is what the page kept from an earlier life; null for a new page. */
export interface MappingHostApi {
  form(params: { readonly path: string | null }): MappingForm;
  preview(params: { readonly path: string; readonly mapping: FieldMapping }): MappingPreview;
  /** Keeps the mapping for the log's folder; null goes back to the guess. Resolves to a sentence of what was done. */
  save(params: { readonly path: string; readonly mapping: FieldMapping | null }): string;
  /** Writes the mapping to a file the user chooses; false where none was chosen. */
  exportMapping(params: { readonly mapping: FieldMapping }): boolean;
  /** Reads a mapping from a file the user chooses; null where none was chosen. */
  importMapping(params: { readonly names: readonly string[] }): FieldMapping | null;
}

/** What the host tells the page. */
export interface MappingEvents {
  /** The command was run for another log while the form was open. */
  logAsked(params: { readonly path: string }): void;
}
