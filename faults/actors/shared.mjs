/**
 * The part of several who use one engine in one process: what they open is the same one, and none of them closes it. With `keeps` it ripens for all of them from now on, and
 * who comes and goes need not say so.
 */
export async function sharing(part, { keeps = false } = {}) {
  const engine = await part.adapter.open(part)
  const keeping = keeps ? await engine.keep({ answers: new Map() }) : undefined
  const shared = new Proxy(engine, {
    get(of, name) {
      if (name === 'close') return () => Promise.resolve()
      if (name === 'keep' && keeping) return () => Promise.resolve(keeping)
      const value = of[name]
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
  return { engine, shared: { ...part, adapter: { ...part.adapter, open: () => Promise.resolve(shared) } } }
}
