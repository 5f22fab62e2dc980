/**
 * The table of settings: key, type and default of each, as the manifest declares them (a test compares both).
 * Reading them is config.ts. Leaves out VS Code's own settings, which no setting of ours repeats.
 */

/** Default by key (after "rolloutLens."); the type of a setting is the type of its default. */
export const settings = {
  /** CodeLens above calls of a transcript and above lines of a log. */
  'codeLens.enabled': true,
  /** Reward above which a rollout counts as right, where the log itself does not say. */
  rewardThreshold: 0.5,
  /** How redundant calls of open transcripts are listed in Problems: off, information or warning. */
  'redundancy.problems': 'information',
  /** Ids of redundancy rules that are off. */
  'redundancy.off': [],
  /** `near-repeat`: intersection over union from which two crops count as the same. */
  'redundancy.cropOverlap': 0.9,
  /** `near-repeat`: share of result links that two searches must share. */
  'redundancy.sharedLinks': 0.8,
  /** `whole-image`: share of the picture that a crop must cover. */
  'redundancy.coveredShare': 0.95,
  /** `no-new-information`: share of 8-grams that was known. */
  'redundancy.knownShare': 0.95,
  /** `sibling`: Wilson lower bound from which a flag is likely. */
  'redundancy.siblingLikelyFrom': 0.4,
  /** Space that the index may take on disk, in MB (1,000,000 bytes). */
  'index.maximumSize': 2000,
  /** Memory that the database of the engine may use, in MB. */
  'index.memoryLimit': 300,
} as const;

/** Key of a setting, without "rolloutLens.". */
export type SettingKey = keyof typeof settings;

/** Type of the values of a setting; lists are lists of texts. */
export type SettingValue<Key extends SettingKey> = (typeof settings)[Key] extends boolean
  ? boolean
  : (typeof settings)[Key] extends number
    ? number
    : (typeof settings)[Key] extends readonly unknown[]
      ? readonly string[]
      : string;
