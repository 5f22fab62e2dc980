// Measures how the time of a function grows with its input: twenty times the text may take about twenty times as long.

/** Quadratic growth gives 400; garbage collection and a loaded machine stay below this in one of a few attempts. */
export const linearLimit = 160;

const attempts = 6;
/** Truly quadratic text must fail soon, not after an hour. */
const patienceMs = 4_000;

/**
 * Time for a 20 times larger input over the time for a small one (at least 0.5 ms counted): about 20 where it is
 * linear. Other processes can only make it look worse, so the best of some attempts counts.
 */
export function growthOfTime(run: (size: number) => void, size: number): number {
  let least = Infinity;
  const end = performance.now() + patienceMs;
  for (let attempt = 0; attempt < attempts && least >= linearLimit / 2; attempt++) {
    if (attempt > 0 && performance.now() > end) break;
    const small = Math.max(0.5, timeOf(run, size), timeOf(run, size));
    least = Math.min(least, timeOf(run, 20 * size) / small);
  }
  return least;
}

function timeOf(run: (size: number) => void, size: number): number {
  const start = performance.now();
  run(size);
  return performance.now() - start;
}
