import type { Sample } from './exposition.js'

/** Seconds: the buckets that the messaging conventions of OpenTelemetry advise, and what an answer from memory takes. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30] as const

/** Counts durations in buckets, for each set of labels. */
export class Histogram {
  readonly #most: number
  readonly #rows = new Map<string, { readonly labels: Readonly<Record<string, string>>; readonly counts: Float64Array; sum: number }>()

  /** `most`: sets of labels; what comes beyond is not counted. */
  constructor(most: number) {
    this.#most = most
  }

  observe(labels: Readonly<Record<string, string>>, seconds: number): void {
    const key = Object.values(labels).join('\n')
    let row = this.#rows.get(key)
    if (!row) {
      if (this.#rows.size >= this.#most) return
      row = { labels, counts: new Float64Array(bounds.length + 1), sum: 0 }
      this.#rows.set(key, row)
    }
    const bucket = bounds.findIndex((bound) => seconds <= bound)
    const at = bucket < 0 ? bounds.length : bucket
    row.counts[at] = (row.counts[at] ?? 0) + 1
    row.sum += seconds
  }

  samples(): Sample[] {
    return [...this.#rows.values()].flatMap(({ labels, counts, sum }) => {
      let total = 0
      const buckets = [...counts].map((count, index): Sample => {
        total += count
        return { suffix: '_bucket', labels: { ...labels, le: bounds[index] ?? '+Inf' }, value: total }
      })
      return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: total }]
    })
  }
}
