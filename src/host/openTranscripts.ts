/**
 * What the views know about open transcripts: the marks of a document that is shown. views/transcript keeps them (its
 * file system serves the text), views/annotations reads them; views never import each other, so the interface is here.
 * Leaves out how documents are fetched and when they are dropped (views/transcript/rolloutFileSystem.ts).
 */
import type * as vscode from 'vscode';
import type { RolloutRef } from '../protocol/engine.ts';
import type { TranscriptDocument } from '../protocol/transcript.ts';
import type { RolloutAddress } from './rolloutAddress.ts';

/** A transcript without its text, which the editor holds. */
export interface ShownTranscript extends Omit<TranscriptDocument, 'text'> {
  readonly address: RolloutAddress;
  /** Lines as VS Code counts them, the empty one after the last line break included. */
  readonly lineCount: number;
}

/** The open transcripts. */
export interface OpenTranscripts extends vscode.Disposable {
  /**
   * The marks of the text that an editor shows; null where the document is no transcript, cannot be read, or is about
   * to be replaced by a newer one whose lines differ. Never rejects.
   */
  shown(document: Pick<vscode.TextDocument, 'uri' | 'lineCount'>): Promise<ShownTranscript | null>;
  /** Address of a transcript's marks that changed. */
  readonly onDidChange: vscode.Event<vscode.Uri>;
  /** Asks again for the open transcripts of a rollout (null: for all), since something about their flags changed. */
  refresh(ref: RolloutRef | null): Promise<void>;
  /** The URI of a rollout's transcript; a UserError where its run is not open. */
  uriOf(ref: RolloutRef): vscode.Uri;
}
