/**
 * I12 isolation. Whoever is not the culprit keeps a p99 within `p99Ratio` of its own when all was calm (differences below `p99FloorMs` are
 * noise; several samples of one phase: the median), and its memory stays under its cap. Needs `sample` events of both phases, or with a cap.
 */
export const isolation = {
  invariant: 'I12',
  watch({ suspect, options }) {
    const samples = new Map()
    let applies = false
    return {
      sample(event) {
        if (event.capBytes !== undefined) applies = true
        if (event.memoryBytes > event.capBytes) suspect(`${event.of} uses ${event.memoryBytes} bytes, its cap is ${event.capBytes}`, [event])
        if (event.p99Ms === undefined) return
        const of = samples.get(event.of) ?? { calm: [], disturbed: [] }
        of[event.phase].push(event)
        samples.set(event.of, of)
      },
      end() {
        for (const [name, { calm, disturbed }] of samples) {
          const [was, is] = [median(calm), median(disturbed)]
          if (was === undefined || is === undefined) continue
          applies = true
          if (is.p99Ms > was.p99Ms * options.p99Ratio && is.p99Ms - was.p99Ms > options.p99FloorMs) suspect(`the p99 of ${name} went from ${was.p99Ms} to ${is.p99Ms} ms`, [was, is])
        }
      },
      applies: () => applies,
    }
  },
}

function median(samples) {
  return samples.sort((one, other) => one.p99Ms - other.p99Ms)[samples.length >> 1]
}
