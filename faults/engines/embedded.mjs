import { join } from 'node:path'
import { embedded } from 'millrace/embedded'
import { guard } from 'millrace/engine'

/**
 * What the runner has to know of an engine; each engine has such a file, and the rows are the same for all.
 * `open` is called in the process that uses the engine. `settings` come from the row, and mean something to this file only.
 */
export const adapter = {
  name: 'embedded',

  /** An open engine on the store of this run. */
  async open({ folder, settings = {} }) {
    const engine = guard(embedded({ path: this.path(folder), lmdb: import.meta.resolve('lmdb'), ...settings }))
    await engine.open()
    return engine
  },

  /** What an answer outlives, as the engine is set. */
  survives({ durability = 'fsync' } = {}) {
    return durability === 'fsync' ? ['memory', 'os', 'fsync'] : ['memory', 'os']
  },

  path(folder) {
    return join(folder, 'store')
  },

  /** The files that hold messages. */
  files(folder) {
    return [join(this.path(folder), 'store.mdb')]
  },
}
