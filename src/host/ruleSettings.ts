/**
 * The rules' settings as the engine takes them, out of the user's settings: numbers outside 0 to 1 (settings.json is
 * edited by hand) read as the default, unknown rule ids stay, since they do no harm. Leaves out when they are sent
 * (openSession.ts).
 */
import { defaultRuleSettings, type RuleSettings } from '../protocol/flags.ts';
import { setting } from './config.ts';
import type { SettingKey } from './settings.ts';

/** The settings that `ruleSettings` reads. */
export const ruleSettingKeys: readonly SettingKey[] = [
  'redundancy.off',
  'redundancy.cropOverlap',
  'redundancy.sharedLinks',
  'redundancy.coveredShare',
  'redundancy.knownShare',
  'redundancy.siblingLikelyFrom',
];

/** The rules as the user has set them. */
export function ruleSettings(): RuleSettings {
  const standard = defaultRuleSettings;
  return {
    off: setting('redundancy.off'),
    cropOverlap: share(setting('redundancy.cropOverlap'), standard.cropOverlap),
    sharedLinks: share(setting('redundancy.sharedLinks'), standard.sharedLinks),
    coveredShare: share(setting('redundancy.coveredShare'), standard.coveredShare),
    knownShare: share(setting('redundancy.knownShare'), standard.knownShare),
    siblingLikelyFrom: share(setting('redundancy.siblingLikelyFrom'), standard.siblingLikelyFrom),
  };
}

function share(value: number, standard: number): number {
  return value >= 0 && value <= 1 ? value : standard;
}
