/**
 * What the doctor asks of an open run: the facts of its table in four queries, and what analysis/doctor.ts says of them.
 * Leaves out the findings themselves.
 */
import { findingsOf, type DoctorFacts, type StepVerdicts } from '../analysis/doctor.ts';
import type { Finding } from '../model/finding.ts';
import { runFacts } from '../store/runFacts.ts';
import type { RunIndex } from './runIndex.ts';

/** The findings about a run's log as far as it is read; none before the first rollout. */
export async function examineRun(run: RunIndex, signal?: AbortSignal): Promise<readonly Finding[]> {
  return findingsOf(await factsOf(run, signal));
}

async function factsOf(run: RunIndex, signal: AbortSignal | undefined): Promise<DoctorFacts> {
  const facts = await runFacts(run.table, signal);
  const differentVerdicts: StepVerdicts[] = Array.from(facts.verdictSteps, (step, index) => ({
    step,
    groups: facts.verdictGroups[index] ?? 0,
  }));
  const { hasSteps } = run.summary();
  return { ...facts, format: run.found().format, threshold: run.threshold, hasSteps, differentVerdicts };
}
