import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { everyday } from './scenes.mjs'

const hourMs = 3_600_000
const clockFile = (folder) => join(folder, 'clock')

/**
 * The host's wall clock jumps two hours ahead, one back, and one ahead again, under all processes at once. Delays go by the wall clock and are never
 * early by it; leases go by the monotonic clock, so nobody loses one; where they go by the clock of a server that jumps too (`leasesByServerClock`), members lose theirs and
 * what they had in hand comes again. Transactions are decided by their owners: the time after which an
 * undecided one is parked is wall time too, and it would rightly be over.
 */
export const clockJumps = {
  id: 'F14',
  title: 'the clock jumps by +2 h and -1 h',
  scene: everyday({ producer: { delayed: 0.15, left: 0 } }),
  process: ({ folder }) => {
    writeFileSync(clockFile(folder), shown(0))
    return { env: { FAULTS_CLOCK: clockFile(folder) }, execArgv: ['--import', new URL('../actors/clock.mjs', import.meta.url).href] }
  },
  server: (folder) => {
    writeFileSync(clockFile(folder), shown(0))
    return { clock: clockFile(folder) }
  },
  faults: ['clock ahead', 'clock back'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'],
  expects: ({ duplicated }, { adapter }) => (duplicated === 0 || adapter.leasesByServerClock ? [] : [`${duplicated} messages came again, and a clock is no reason`]),
  async disturb(stage) {
    let shift = 0
    const jump = async (hours) => {
      shift += hours * hourMs
      await stage.fault(hours > 0 ? 'clock ahead' : 'clock back', { loses: [], shiftMs: hours * hourMs }, () => writeFileSync(clockFile(stage.folder), shown(shift), { flag: 'r+' }))
      await stage.pause(500, 2_000)
    }
    await stage.pause(500, 1_500)
    do {
      for (const hours of [2, -1, 1]) await jump(hours)
    } while (stage.lasts)
  },
}

/** As long as what it replaces, and written over it, so that nobody reads half of it or nothing. */
function shown(shift) {
  return String(shift).padStart(20)
}
