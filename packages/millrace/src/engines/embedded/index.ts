import { checkWhole } from '../../core/topic.js'
import { EmbeddedEngine, type EmbeddedOptions } from './embedded.js'

export type { EmbeddedEngine, EmbeddedOptions } from './embedded.js'

/**
 * A durable engine on one LMDB file, for one host. `lmdb` is handed in as a module:
 * `embedded({ path: './data', lmdb: import.meta.resolve('lmdb') })`.
 */
export function embedded(options: EmbeddedOptions): EmbeddedEngine {
  if (options.maxBytes !== undefined) checkWhole('maxBytes', options.maxBytes, 1, Number.MAX_SAFE_INTEGER)
  return new EmbeddedEngine(options)
}
