/**
 * The page that draws the regions of a rollout's pictures: the picture, a numbered box a region, the shared parts of
 * overlapping boxes shaded, and the same as a list. Each box is a button that shows its call in the transcript.
 * Leaves out which regions there are (the host's) and the transcript.
 */
import type { CropBox, CropOverlap, CroppedPicture, CropsEvents, CropsHostApi } from '../../src/protocol/crops.ts';
import { cropTexts as texts } from '../../src/protocol/crops.ts';
import { openConnection } from '../../src/protocol/rpc.ts';
import { element } from '../ui/dom.ts';
import { connectHost } from '../ui/host.ts';
import './crops.css';
import { savedRollout } from './pageState.ts';

const host = connectHost();
const connection = openConnection(host.port);
const api = connection.client<CropsHostApi>();

const subtitle = element('p', { class: 'subtitle', role: 'status' }, [texts.reading]);
const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
const pictures = element('div', { class: 'pictures' });
document.body.append(element('main', {}, [element('h1', {}, [texts.title]), subtitle, problem, pictures]));

/** Addresses of pictures in memory, given back when others are drawn. */
let addresses: string[] = [];
let loads = 0;

function showError(error: unknown): void {
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
}

async function load(): Promise<void> {
  loads += 1;
  const mine = loads;
  const answer = await api.pictures({ kept: savedRollout(host.saved) });
  // A picture that the log has no data of is drawn as an empty frame.
  const sources = await Promise.all(answer.pictures.map(({ image }) => addressOf(image).catch(() => null)));
  const made = sources.flatMap((address) => address ?? []);
  // A slower answer to an earlier question.
  if (mine !== loads) {
    made.forEach((address) => URL.revokeObjectURL(address));
    return;
  }
  host.save(answer.kept);
  problem.hidden = true;
  subtitle.textContent = answer.pictures.length === 0 ? `${answer.title}. ${texts.none}` : answer.title;
  pictures.replaceChildren(...answer.pictures.map((picture, index) => figureOf(picture, sources[index] ?? null)));
  addresses.forEach((address) => URL.revokeObjectURL(address));
  addresses = made;
}

/** The picture as an address of this page; null where its bytes cannot be had. */
async function addressOf(image: number): Promise<string | null> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let first = 0;
  for (;;) {
    const { mime, sizeBytes, bytes } = await api.bytes({ image, first });
    parts.push(new Uint8Array(bytes));
    first += bytes.length;
    if (first >= sizeBytes) return URL.createObjectURL(new Blob(parts, { type: mime }));
    if (bytes.length === 0) return null;
  }
}

function figureOf(picture: CroppedPicture, address: string | null): HTMLElement {
  const number = picture.image + 1;
  const stage = element('div', { class: 'stage' });
  const unreadable = element('p', { class: 'subtitle', hidden: true }, [texts.unreadable(number)]);
  const empty = (): void => {
    stage.classList.add('empty');
    unreadable.hidden = false;
  };
  if (address === null) empty();
  else {
    const image = element('img', { src: address, alt: texts.picture(number) });
    image.addEventListener('error', () => {
      image.remove();
      empty();
    });
    stage.append(image);
  }
  stage.append(...picture.overlaps.map(shadeOf), ...picture.boxes.map(boxOf));
  const list = picture.boxes.map((box) =>
    element('li', {}, [
      linkTo(box, texts.box(box.number, box.label, box.sentence)),
      ` · ${texts.covers(areaOf(box.box))}`,
    ]),
  );
  const overlaps = picture.overlaps.map(({ pair, overlap }) =>
    element('li', {}, [texts.overlap(pair[0], pair[1], overlap)]),
  );
  return element('section', { 'aria-label': texts.picture(number) }, [
    element('h2', {}, [texts.picture(number)]),
    stage,
    unreadable,
    element('ul', { class: 'boxes' }, list),
    overlaps.length === 0 ? element('p', {}, [texts.noOverlap]) : element('ul', { class: 'overlaps' }, overlaps),
  ]);
}

function boxOf(box: CropBox): HTMLElement {
  const spoken = `${texts.show(box.label)} (${texts.box(box.number, box.label, box.sentence)})`;
  const made = element(
    'button',
    { class: box.sentence === '' ? 'box' : 'box flagged', title: spoken, 'aria-label': spoken, 'data-call': box.call },
    [element('span', { class: 'number', 'aria-hidden': 'true' }, [String(box.number)])],
  );
  place(made, box.box);
  made.addEventListener('click', () => {
    reveal(box);
  });
  return made;
}

function shadeOf({ box, pair, overlap }: CropOverlap): HTMLElement {
  const made = element('div', {
    class: 'shade',
    title: texts.overlap(pair[0], pair[1], overlap),
    'aria-hidden': 'true',
  });
  place(made, box);
  return made;
}

function linkTo(box: CropBox, label: string): HTMLElement {
  const made = element('button', { class: 'link', title: texts.show(box.label) }, [label]);
  made.addEventListener('click', () => {
    reveal(box);
  });
  return made;
}

function reveal({ call }: CropBox): void {
  api.reveal({ call }).catch(showError);
}

/** By the object model: a style attribute is not allowed by the page's policy. */
function place(node: HTMLElement, [left, top, right, bottom]: CropBox['box']): void {
  node.style.left = `${left * 100}%`;
  node.style.top = `${top * 100}%`;
  node.style.width = `${(right - left) * 100}%`;
  node.style.height = `${(bottom - top) * 100}%`;
}

function areaOf([left, top, right, bottom]: CropBox['box']): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

connection.on<CropsEvents>({
  changed: () => {
    load().catch(showError);
  },
});

load().catch(showError);
