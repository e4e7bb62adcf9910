import type { Case } from '../case.js'
import { broadcast } from './broadcast.js'
import { browse } from './browse.js'
import { census, censusOfHolds } from './census.js'
import { deadLetters } from './dead-letters.js'
import { dedup } from './dedup.js'
import { delays } from './delays.js'
import { durability } from './durability.js'
import { groups } from './groups.js'
import { handover } from './handover.js'
import { holds } from './holds.js'
import { instances } from './instances.js'
import { leases } from './leases.js'
import { limits } from './limits.js'
import { loans } from './loans.js'
import { order } from './order.js'
import { park } from './park.js'
import { poison } from './poison.js'
import { prepared } from './prepared.js'
import { publish } from './publish.js'
import { replay } from './replay.js'
import { retention } from './retention.js'
import { retries } from './retries.js'
import { shutdown } from './shutdown.js'
import { topics } from './topics.js'
import { watch } from './watch.js'

/** Every promise of the contract that can be shown, by noun. */
export const cases: readonly Case[] = [
  ...topics, ...publish, ...groups, ...leases, ...order, ...handover,
  ...delays, ...holds, ...retries, ...loans, ...park, ...prepared, ...deadLetters, ...poison,
  ...retention, ...replay, ...browse, ...broadcast, ...dedup,
  ...durability, ...shutdown, ...limits, ...census, ...censusOfHolds, ...watch, ...instances,
]
