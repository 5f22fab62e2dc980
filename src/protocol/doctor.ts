/**
 * The doctor as it crosses from the engine to the host and the charts page. Leaves out what a finding is (model/finding.ts).
 */
import type { Finding } from '../model/finding.ts';
import type { RunId } from './engine.ts';

/** What a run's log lacks and what was done about it, warnings first. */
export interface DoctorReport {
  readonly run: RunId;
  readonly findings: readonly Finding[];
}

/** Requests to the doctor, part of EngineApi and, through the host, of ChartsHostApi. */
export interface DoctorApi {
  doctor(params: { readonly run: RunId }): DoctorReport;
}
