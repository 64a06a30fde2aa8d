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
 * @property {boolean} in_sample whether the same samples chose the thresholds
 * @property {string} unit plural noun for samples
 * @property {string} reference what answers are compared with: "labels" or "last stage"
 * @property {Terms} terms the words that follow from it, see terms.py
 * @property {{accuracy: number, cost: number, label: string}} baseline the plain network
 * @property {string} cost_unit such as "MACs"
 * @property {string} cost_noun what is saved, such as "computation"
 * @property {number} [cost_per] samples that costs are of; 1 where it is not said
 * @property {number[]} accuracy at each position
 * @property {number[]} drop of accuracy against the baseline
 * @property {number[]} harmed samples that the plain network answers correctly and the cascade does not
 * @property {number[]} drop_low lower end of its interval
 * @property {number[]} drop_high upper end
 * @property {number} level coverage of that interval
 * @property {?{level: number, drop: number[]}} [certificate] bounds that hold at all positions at once
 * @property {number[]} saving share of the baseline's cost
 * @property {?number[]} [saving_of_whole_batches] where survivors are not gathered in smaller batches
 * @property {number[]} cost mean of `cost_per` samples
 * @property {?{shares: number[], within: number[][]}} [percentiles] costs within which shares of the samples are done
 * @property {?(?number)[][]} thresholds of each stage but the last, null: nothing exits; null if each class has its own
 * @property {number[][]} exit_counts samples that exit, (stages, G)
 * @property {number[][]} correct_counts those of them that are right, (stages, G)
 * @property {?boolean[][]} [active] whether each early head is run, (stages, G); null where thresholds say it
 * @property {boolean[]} plain where the plain network is run, at each position
 * @property {number} plain_right samples that the plain network answers correctly
 * @property {number} quantile standard errors on either side that `level` takes
 * @property {Costing} costing
 * @property {Axis} histogram the axis of confidences and its bins
 * @property {?Counts} [counts] samples by confidence at every position, where they are not counted from `groups`
 * @property {?Groups} [groups] what thresholds set by hand are counted from
 * @property {{format: CompressionFormat, parts: Object<string, string[]>}} [packed] which texts are compressed, and how
 * @property {{published?: Series[], oracle?: ?Mark}} curve what the accuracy-compute curve is compared with
 * @property {string} [footnote]
 * @property {?Payload} [elsewhere] the same rules, judged on another run
 * @property {Presentation} [presentation] fill one screen
 * @property {?(?number)[]} [hand] thresholds set by hand that the panel opens with
 * @property {string} [panel] key under which the page remembers where the slider stands
 * @property {number} [turn] of the page's wishes for the slider: another turn moves it to `initial`
 */

/** @typedef {Object<"accuracy" | "short_drop" | "accuracy_given_up" | "given_up" | "gained" | "no_drop" | "as_accurate" | "right" | "wrong" | "harmed" | "label", string>} Terms */

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
 * The axis of confidences.
 * @typedef {object} Axis
 * @property {number} bins
 * @property {number[]} edges the least confidence of each bin but the first
 * @property {string} label
 * @property {{at: number, text: string}[]} ticks places from 0 to 1
 * @property {number} low end of a linear axis
 * @property {number} high
 * @property {number} nines end of a scale of nines; 0: the axis is linear
 */

/**
 * Samples that reach a stage, and that leave there (all stages but the last), by bin: (stages, G, bins).
 * @typedef {object} Counts
 * @property {"uint16" | "uint32"} dtype little-endian
 * @property {Bytes} right
 * @property {Bytes} wrong
 * @property {Bytes} leaving_right
 * @property {Bytes} leaving_wrong
 */

/**
 * Samples, or groups of them that are alike; see groups.py.
 * @typedef {object} Groups
 * @property {number} size how many
 * @property {boolean} exact whether a threshold of any position can be set by hand
 * @property {number} step bins that are not told apart
 * @property {number[]} grid thresholds that can be set at every stage
 * @property {number[][]} brought others, of each stage
 * @property {Bytes} levels (stages - 1, size) uint16, how many of the stage's cuts are reached
 * @property {Bytes} last (size,) uint8, bins at the last stage
 * @property {Bytes} plain (size,) uint8, bins of the plain network
 * @property {Bytes} right (stages + 1, size) bits; the last row is the plain network
 * @property {?Bytes} weights (size,) uint32
 */

/**
 * What stages cost for 0, 1, ... samples of a batch, (stages, batch + 1); see `CostTable` of meters.py.
 * @typedef {object} Costing
 * @property {number} batch
 * @property {boolean} compaction
 * @property {boolean} [means] whether samples cost otherwise than these, which are the means of all
 * @property {boolean} pooled whether answers are pooled
 * @property {boolean[]} used_later whether an early stage's head is run although nothing leaves there
 * @property {number[][]} trunk
 * @property {number[][]} head
 * @property {number[][]} pool
 */

/** @typedef {string | Uint8Array} Bytes base64, or the bytes themselves */
/** @typedef {{cost: number, accuracy: number, text?: string}} Mark cost as a share of the baseline's */
/** @typedef {{label: string, points: Mark[]}} Series */
/** @typedef {{next?: string, previous?: string, leave?: string}} Presentation selectors of the buttons that keys press */

/**
 * A payload with its counts and samples decoded, and what drawing would otherwise look for in every frame.
 * @typedef {Omit<Payload, "counts"> & {
 *   count: number, positions: number, one: string, score: string, scales: VerticalScale[],
 *   counts: ?DecodedCounts, cuts?: Float32Array[], flows?: Flows, there: ?Model,
 * }} Model
 */

/** @typedef {Record<"right" | "wrong" | "leaving_right" | "leaving_wrong", Uint16Array | Uint32Array>} DecodedCounts */

/**
 * @typedef {object} Flows samples, decoded
 * @property {Uint16Array[]} levels of each stage but the last
 * @property {Uint8Array[]} codes of each stage but the last, twice the bin, and one more if right
 * @property {Uint8Array} last the same at the last stage
 * @property {Uint8Array} plain and of the plain network
 * @property {Uint8Array} plainRight whether the plain network is right
 * @property {?Uint32Array} weights
 * @property {Uint32Array[]} alive room for the samples that stay
 * @property {number} size
 */

/**
 * What the panel shows at once.
 * @typedef {object} Point
 * @property {number} g position of the slider
 * @property {boolean} byHand whether thresholds are set by hand, beside the slider's
 * @property {number} accuracy
 * @property {number} drop
 * @property {number} harmed samples that the plain network answers correctly and the cascade does not
 * @property {number} low end of the drop's interval
 * @property {number} high
 * @property {number} saving
 * @property {?number} savingOfWholeBatches
 * @property {number} cost
 * @property {?number[]} within costs within which the shares of `percentiles` are done
 * @property {number[]} exits samples that leave at each stage
 * @property {number[]} rights those of them that are right
 * @property {?(?number)[]} thresholds of each stage but the last
 * @property {?number} certified bound on the drop; null: nothing is certain
 * @property {(stage: number) => Histogram} histogram
 */

/**
 * Samples of each bin at a stage.
 * @typedef {object} Histogram
 * @property {ArrayLike<number>} right that reach it
 * @property {ArrayLike<number>} wrong
 * @property {ArrayLike<number>} leaveRight that leave there
 * @property {ArrayLike<number>} leaveWrong
 */

/** @typedef {{g: number, hand: ?(?number)[]}} Stand where the panel stands: a position, and thresholds set by hand */

/**
 * What a host is told.
 * @typedef {object} Heard
 * @property {(stand: Stand, id: string) => void} [release]
 * @property {(what: object) => void} [tell]
 * @property {(point: Point) => void} [move]
 */

/** @typedef {{full: number, tall: number}} VerticalScale count that fills a plot, and the bin that is cut off, or -1 */
/** @typedef {{left: number, right: number, top: number, bottom: number}} Box in pixels */
/** @typedef {{node: HTMLElement, draw(point: Point): void, layout?(): void, describe?(point: Point): void}} Part of the panel */
/** @typedef {Record<string, Part>} Parts by name, as `show` in panel.js makes them */
export {};
