/**
 * A promise with a deadline: a hover that comes late is worse than none. Pure; the work itself goes on, so that the
 * next hover finds its answer ready.
 */

/** What the promise gives within the time, else null. Rejects as the promise does, if it does so in time. */
export async function withinTime<Result>(work: Promise<Result>, milliseconds: number): Promise<Result | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      resolve(null);
    }, milliseconds);
  });
  // A rejection after the deadline belongs to nobody.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
