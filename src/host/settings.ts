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
  /** Base address of the OpenAI-compatible endpoint that judges rows of a curation; '' for none. */
  'judge.endpoint': '',
  /** Model that the endpoint is asked for. */
  'judge.model': '',
  /** Requests to a judge in flight. */
  'judge.concurrency': 4,
  /** Where models run: auto, webgpu, cuda, dml, coreml or cpu. */
  'replay.provider': 'auto',
  /** Tokens a run; 0 for the usual. */
  'replay.chunk': 0,
  /** Cache of a model, in MB (1,000,000 bytes); 0 for what suits the machine. */
  'replay.memoryBudgetMegabytes': 0,
  /** Program that runs the process of a model; '' for the editor's own. */
  'replay.nodePath': '',
  /** Hub that models are downloaded from; '' for the client's usual one. */
  'replay.hubEndpoint': '',
  /** OpenAI-compatible server that replays; '' for none. */
  'replay.endpoint': '',
  'replay.endpointModel': '',
  /** Folder with the tokenizer of the server's model; '' for the server's own. */
  'replay.endpointTokenizer': '',
  /** Requests to the server in flight. */
  'replay.endpointConcurrency': 8,
  /** Samples of an arm and of an estimate. */
  'replay.samples': 32,
  /** Longest continuation, in tokens. */
  'replay.maximumTokens': 512,
  /** Thresholds of the verdict on logged log-probs, in nats. */
  'replay.sameMaximum': 0.001,
  'replay.sameMean': 0.02,
  'replay.sameP99': 0.3,
  'replay.nearMean': 0.1,
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
