/** The part of several who use one engine in one process: what they open is the same one, and none of them closes it. */
export async function sharing(part) {
  const engine = await part.adapter.open(part)
  const shared = new Proxy(engine, {
    get(of, name) {
      if (name === 'close') return () => Promise.resolve()
      const value = of[name]
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
  return { engine, shared: { ...part, adapter: { ...part.adapter, open: () => Promise.resolve(shared) } } }
}
