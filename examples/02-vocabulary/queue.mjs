import { join } from 'node:path'
import { Millrace } from 'millrace'
import { embedded } from 'millrace/embedded'

/** The queue in this folder. Several processes may have it open. */
export function openQueue(folder) {
  return new Millrace({
    engine: embedded({ path: join(folder, 'queue'), lmdb: import.meta.resolve('lmdb') }),
    consumers: { leaseMs: 1_000 }, // a second after it was killed a process counts as dead, and its work goes to others
  })
}
