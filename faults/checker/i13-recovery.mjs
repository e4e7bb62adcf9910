/** I13 recovery. A process is ready within `readyMs` of its start and nobody had to help. Needs `ready` events. */
export const recovery = {
  invariant: 'I13',
  watch({ suspect, options }) {
    let count = 0
    return {
      ready(event) {
        count += 1
        if (event.elapsedMs > options.readyMs) suspect(`${event.process} was ready after ${event.elapsedMs} ms, allowed are ${options.readyMs}`, [event])
        if (event.manual) suspect(`${event.process} was ready only with help`, [event])
      },
      applies: () => count > 0,
    }
  },
}
