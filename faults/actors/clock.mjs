// Loaded before everything else in a process whose wall clock the runner moves (`--import`), and so in its threads: `Date.now` is ahead of the system's
// by what the file says that FAULTS_CLOCK names. The monotonic clock is left alone, as it is when a host's clock is set.
import { openSync, readSync } from 'node:fs'

const descriptor = openSync(process.env.FAULTS_CLOCK, 'r')
const bytes = Buffer.alloc(24)
const systemNow = Date.now

Date.now = () => systemNow() + Number(bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, 0)))
