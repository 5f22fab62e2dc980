// node test/bench/charts.mjs [ROLLOUTS]: first draw and slider redraw of the charts page in headless Chromium, with each of
// the charts that a slider redraws in view, of 400,000 rollouts by default. Needs `npm run build` first. Printed; aims: a
// redraw's median under 16 ms, its worst under 50 ms. A redraw is timed from the start of its frame until the frame is
// painted, so it holds script, style, layout and paint. Leaves out the engine: columns come from the page itself.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCharts } from './chartsHost.mjs';

const root = process.env['CHARTS_ROOT'] ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Seconds to the first curves and to the first densities, and the frames of a slider that moves: `{ label: ms[] }`. */
export async function chartsBench({ rollouts = 400_000, steps = 200 } = {}) {
  const started = performance.now();
  const { browser, page } = await openCharts({ root, rollouts, steps });
  try {
    await page.waitForSelector('#chart-accuracy path.line', { state: 'attached' });
    const curvesMs = performance.now() - started;
    await page.waitForSelector('#chart-contributions .plot', { timeout: 60_000 });
    await page.waitForSelector('#chart-samples .row[data-index]', { timeout: 60_000 });
    const samplesMs = performance.now() - started;
    await page.waitForTimeout(1_000);
    const frames = {};
    for (const label of ['w_tool', 'w_acc']) frames[label] = await page.evaluate(slide, label);
    // A row's ▸ selects its group; the view of the group and the life of its prompt are drawn below.
    await page.locator('#chart-samples .members button').first().click();
    await page.evaluate(scrollTo, 'group');
    await page.waitForSelector('#chart-group .column', { timeout: 30_000 });
    await page.waitForTimeout(1_500);
    frames['w_tool, the group in view'] = await page.evaluate(slide, 'w_tool');
    await page.evaluate(scrollTo, 'coupled');
    await page.waitForSelector('#chart-coupled .plot', { timeout: 60_000 });
    for (const form of ['unconditional', 'linear', 'gated']) {
      await page.locator('#chart-coupled select').selectOption(form);
      // The first drawing of a form makes its columns; bands follow when the slider rests.
      await page.waitForTimeout(3_000);
      frames[`α, ${form}`] = await page.evaluate(slide, 'α');
    }
    for (const chart of ['passRate', 'negativePush', 'selectivity']) {
      // Twice: charts above it that are drawn on the way push it out of view.
      for (let times = 0; times < 2; times += 1) {
        await page.evaluate(scrollTo, chart);
        // The first drawing reads columns and draws bands, once; what is timed is a slider that moves after it.
        await page.waitForSelector(`#chart-${chart} .plot`, { timeout: 60_000 });
        await page.waitForTimeout(2_000);
      }
      frames[`w_tool, ${chart} in view`] = await page.evaluate(slide, 'w_tool');
    }
    return { rollouts, steps, curvesMs, samplesMs, frames };
  } finally {
    await browser.close();
  }
}

/** Runs in the page. */
function scrollTo(id) {
  document.querySelector(`#chart-${id}`).scrollIntoView();
}

/** Runs in the page: moves a slider over its range, 120 frames; ms of each. */
async function slide(label) {
  const range = document.querySelector(`input[type=range][aria-label="${label}"]`);
  const [low, high] = [Number(range.min), Number(range.max)];
  const frames = [];
  for (let n = 0; n < 120; n += 1) {
    const ms = await new Promise((resolve) => {
      let begun = 0;
      requestAnimationFrame(() => {
        begun = performance.now();
      });
      range.value = String(low + ((high - low) * (n % 60)) / 60);
      range.dispatchEvent(new Event('input'));
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now() - begun);
        port2.postMessage(null);
      });
    });
    frames.push(ms);
  }
  return frames;
}

/** "median 6.1 ms, worst 14.0 ms". */
export function framesText(frames) {
  const sorted = [...frames].sort((a, b) => a - b);
  const [median, worst] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms (aims: 16, 50)`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await chartsBench({ rollouts: Number(process.argv[2] ?? 400_000) });
  console.log(`${found.rollouts} rollouts, ${found.steps} steps; loading includes making the columns`);
  console.log(
    `first curves ${found.curvesMs.toFixed(0)} ms, first densities and list ${found.samplesMs.toFixed(0)} ms`,
  );
  for (const [label, frames] of Object.entries(found.frames)) console.log(`redraw by ${label}: ${framesText(frames)}`);
}
