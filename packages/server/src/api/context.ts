import type { Clock, Millrace } from 'millrace'
import type { Config } from '../config/schema.js'
import type { Sampler } from '../observe/sampler.js'
import type { Loans } from './loans.js'

/** What the calls work with. */
export interface Context {
  readonly mill: Millrace
  readonly config: Pick<Config, 'limits' | 'defaults' | 'engine'>
  readonly clock: Clock
  readonly sampler: Sampler
  readonly loans: Loans
}
