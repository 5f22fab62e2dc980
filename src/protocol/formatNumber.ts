/**
 * The names under which the charts page knows base/numberText.ts.
 * Owned by webview/charts; everything else takes base/numberText.ts itself.
 */
import { countText, numberText, percentText } from '../base/numberText.ts';

/** As numberText. */
export const formatNumber = numberText;

/** As countText. */
export const formatCount = countText;

/** As percentText. */
export const formatShare = percentText;
