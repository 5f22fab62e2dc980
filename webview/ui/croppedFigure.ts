/**
 * A picture with the regions that calls looked at: a numbered box a region, the shared parts of overlapping boxes
 * shaded, and the same as a list. Each box is a button that shows its call. Its styles are croppedFigure.css.
 * Leaves out where the bytes come from, and which regions there are (the host's).
 */
import type { CropBox, CropOverlap, CroppedPicture } from '../../src/protocol/crops.ts';
import { cropTexts as texts } from '../../src/protocol/crops.ts';
import { element } from './dom.ts';

/** A slice of a picture's bytes from `first` on. */
export type PictureBytes = (params: { readonly image: number; readonly first: number }) => Promise<{
  readonly mime: string;
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
}>;

/** A picture as an address of this page, to be given back; null where its bytes cannot be had. */
export async function pictureAddress(image: number, bytesOf: PictureBytes): Promise<string | null> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let first = 0;
  for (;;) {
    const { mime, sizeBytes, bytes } = await bytesOf({ image, first });
    parts.push(new Uint8Array(bytes));
    first += bytes.length;
    if (first >= sizeBytes) return URL.createObjectURL(new Blob(parts, { type: mime }));
    if (bytes.length === 0) return null;
  }
}

/** What a figure is made of; `address` null draws an empty frame. */
export interface CroppedFigureOptions {
  readonly picture: Pick<CroppedPicture, 'image' | 'boxes' | 'overlaps'>;
  readonly address: string | null;
  readonly onCall: (call: number) => void;
}

/** The picture, its boxes and their list. */
export function croppedFigure({ picture, address, onCall }: CroppedFigureOptions): HTMLElement {
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
  stage.append(...picture.overlaps.map(shadeOf), ...picture.boxes.map((box) => boxOf(box, onCall)));
  const list = picture.boxes.map((box) =>
    element('li', {}, [
      linkTo(box, texts.box(box.number, box.label, box.sentence), onCall),
      ` · ${texts.covers(areaOf(box.box))}`,
    ]),
  );
  const overlaps = picture.overlaps.map(({ pair, overlap }) =>
    element('li', {}, [texts.overlap(pair[0], pair[1], overlap)]),
  );
  const lists = [
    element('ul', { class: 'boxes' }, list),
    overlaps.length === 0 ? element('p', {}, [texts.noOverlap]) : element('ul', { class: 'overlaps' }, overlaps),
  ];
  return element('section', { 'aria-label': texts.picture(number) }, [
    element('h2', {}, [texts.picture(number)]),
    stage,
    unreadable,
    ...(picture.boxes.length === 0 ? [] : lists),
  ]);
}

function boxOf(box: CropBox, onCall: (call: number) => void): HTMLElement {
  const spoken = `${texts.show(box.label)} (${texts.box(box.number, box.label, box.sentence)})`;
  const made = element(
    'button',
    { class: box.sentence === '' ? 'box' : 'box flagged', title: spoken, 'aria-label': spoken, 'data-call': box.call },
    [element('span', { class: 'number', 'aria-hidden': 'true' }, [String(box.number)])],
  );
  place(made, box.box);
  made.addEventListener('click', () => {
    onCall(box.call);
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

function linkTo(box: CropBox, label: string, onCall: (call: number) => void): HTMLElement {
  const made = element('button', { class: 'link', title: texts.show(box.label) }, [label]);
  made.addEventListener('click', () => {
    onCall(box.call);
  });
  return made;
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
