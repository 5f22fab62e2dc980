/**
 * The page that draws the regions of a rollout's pictures, one figure a picture (ui/croppedFigure.ts). Each box is a
 * button that shows its call in the transcript.
 * Leaves out which regions there are (the host's) and the transcript.
 */
import type { CropsEvents, CropsHostApi } from '../../src/protocol/crops.ts';
import { cropTexts as texts } from '../../src/protocol/crops.ts';
import { openConnection } from '../../src/protocol/rpc.ts';
import { croppedFigure, pictureAddress } from '../ui/croppedFigure.ts';
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
  const sources = await Promise.all(
    answer.pictures.map(({ image }) => pictureAddress(image, (params) => api.bytes(params)).catch(() => null)),
  );
  const made = sources.flatMap((address) => address ?? []);
  // A slower answer to an earlier question.
  if (mine !== loads) {
    made.forEach((address) => URL.revokeObjectURL(address));
    return;
  }
  host.save(answer.kept);
  problem.hidden = true;
  subtitle.textContent = answer.pictures.length === 0 ? `${answer.title}. ${texts.none}` : answer.title;
  const figures = answer.pictures.map((picture, index) =>
    croppedFigure({ picture, address: sources[index] ?? null, onCall: reveal }),
  );
  pictures.replaceChildren(...figures);
  addresses.forEach((address) => URL.revokeObjectURL(address));
  addresses = made;
}

function reveal(call: number): void {
  api.reveal({ call }).catch(showError);
}

connection.on<CropsEvents>({
  changed: () => {
    load().catch(showError);
  },
});

load().catch(showError);
