// @ts-check
/**
 * The shapes of what the panel is given and draws, for editors and `tsc`; nothing here runs, and nothing is joined.
 *
 * Arrays run over stages first, then over the G positions of the slider.  Accuracies, drops, savings and shares are
 * fractions of one; counts are samples; costs are in `cost_unit`.
 */

/**
 * What `live_data` of data.py makes.
 * @typedef {object} Payload
 * @property {string} id identity of what is shown: equal data, equal id
 * @property {string} [name] of the run
 * @property {string} [policy] short name of the policy
 * @property {Slider} slider
 * @property {string[]} stages names, earliest first
 * @property {number} samples how many were measured
 * @property {string} unit plural noun for samples
 * @property {{accuracy: number, cost: number, label: string}} baseline the plain network
 * @property {string} cost_unit such as "MACs"
 * @property {string} cost_noun what is saved, such as "computation"
 * @property {number[]} accuracy at each position
 * @property {number[]} drop of accuracy against the baseline
 * @property {number[]} drop_low lower end of its interval
 * @property {number[]} drop_high upper end
 * @property {number} level coverage of that interval
 * @property {?{level: number, drop: number[]}} [certificate] bounds that hold at all positions at once
 * @property {number[]} saving share of the baseline's cost
 * @property {?number[]} [saving_of_whole_batches] where survivors are not gathered in smaller batches
 * @property {number[]} cost mean of a sample
 * @property {?(?number)[][]} thresholds of each stage but the last, null: nothing exits; null if each class has its own
 * @property {number[][]} exit_counts samples that exit, (stages, G)
 * @property {number[][]} correct_counts those of them that are right, (stages, G)
 * @property {Histogram} histogram
 * @property {{published?: Series[], oracle?: ?Point}} curve what the accuracy-compute curve is compared with
 * @property {string} [footnote]
 * @property {Presentation} [presentation] fill one screen
 * @property {string} [panel] key under which the page remembers where the slider stands
 * @property {number} [turn] of the page's wishes for the slider: another turn moves it to `initial`
 */

/**
 * @typedef {object} Slider
 * @property {string} label
 * @property {string} unit "" for a bare confidence
 * @property {number[]} values at each position
 * @property {number} initial position
 * @property {{index: number, text: string}[]} ticks
 * @property {?number} [zero] position of no drop, where gains lie left of it
 * @property {number} decimals of values with a unit
 * @property {string} [help]
 */

/**
 * Samples that reach a stage by confidence, in bins; counts are (stages, G, bins), little-endian.
 * @typedef {object} Histogram
 * @property {number} bins
 * @property {string} label of the axis
 * @property {{at: number, text: string}[]} ticks places from 0 to 1
 * @property {"uint16" | "uint32"} dtype of the counts
 * @property {CompressionFormat} [packed] how counts are compressed
 * @property {Counts} right
 * @property {Counts} wrong
 * @property {Counts} [leaving_right] where each class has its own threshold
 * @property {Counts} [leaving_wrong]
 * @property {(?number)[][]} [flag] places of the thresholds, (stages - 1, G)
 * @property {number[][]} [partial_right] of the bin that the threshold cuts, those that exit
 * @property {number[][]} [partial_wrong]
 */

/** @typedef {string | Uint8Array} Counts base64, or the bytes themselves */
/** @typedef {{cost: number, accuracy: number, text?: string}} Point cost as a share of the baseline's */
/** @typedef {{label: string, points: Point[]}} Series */
/** @typedef {{pins?: number[], leave?: string}} Presentation pinned positions, and the selector of a button to leave */

/**
 * A payload with its counts decoded, and what drawing would otherwise look for in every frame.
 * @typedef {Payload & {
 *   count: number, positions: number, one: string, score: string, scales: VerticalScale[],
 *   right: Uint16Array | Uint32Array, wrong: Uint16Array | Uint32Array,
 *   leavingRight?: Uint16Array | Uint32Array, leavingWrong?: Uint16Array | Uint32Array,
 * }} Model
 */

/** @typedef {{full: number, tall: number}} VerticalScale count that fills a plot, and the bin that is cut off, or -1 */
/** @typedef {{left: number, right: number, top: number, bottom: number}} Box in pixels */
/** @typedef {{node: HTMLElement, draw(g: number): void, layout?(): void, describe?(g: number): void}} Part of the panel */
export {};
