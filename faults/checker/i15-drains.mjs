/**
 * I15 drains. Once the faults stop, all that can be done is done, in the time that the run allows; at rest nothing is ready, leased or waits
 * behind another. (What is held waits rightly: I6 sees to its time.) Needs a rest that says `drained`.
 */
export const drains = {
  invariant: 'I15',
  watch: ({ book, suspect }) => ({
    end() {
      const { drained, census, isComplete } = book.rest
      if (!isComplete || !drained) return
      const isSlow = drained.elapsedMs === null || drained.elapsedMs > drained.withinMs
      if (isSlow) suspect(drained.elapsedMs === null ? 'it never came to rest' : `it came to rest after ${drained.elapsedMs} ms, allowed are ${drained.withinMs}`, [drained])
      for (const page of census.values()) {
        for (const group of page.groups) {
          const left = ['ready', 'leased', 'parked'].filter((each) => group[each] > 0)
          if (left.length > 0 && !isSlow) suspect(`at rest ${group.group} of ${page.topic} has ${left.map((each) => `${group[each]} ${each}`).join(', ')}`, [page])
        }
      }
    },
    applies: () => book.rest.isComplete && book.rest.drained !== undefined,
  }),
}
