/** Stands for a time without a value. */
export const pause = Symbol('pause')

/** The values of a source, and `pause` when the next is not there after `ms`. Once a pause, until the next value. */
export async function* withPauses<T>(source: AsyncIterator<T>, ms: number): AsyncGenerator<T | typeof pause> {
  for (;;) {
    const next = source.next()
    next.catch(() => undefined) // whoever reads on hears of it
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<typeof pause>((resolve) => {
      timer = setTimeout(resolve, ms, pause)
    })
    const first = await Promise.race([next, late])
    clearTimeout(timer)
    if (first === pause) yield pause
    const { done, value } = await next
    if (done) return
    yield value
  }
}
