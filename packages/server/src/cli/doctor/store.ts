import { type ChildProcess, fork } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Finding, bytes, notice, ok, plural, span, wrong } from './finding.js'
import { fileSystem, judgeKind, judgeSpace, judgeSync } from './file-system.js'
import { type LockFile, holderOf, readLockFile } from './lock-file.js'
import { judgeQueue } from './queue.js'
import type { Told } from './store-probe.js'

export interface StoreCheck {
  readonly path: string
  /** How long a step of the store may take. */
  readonly timeoutMs: number
  /** At which the engine answers STORE_FULL. */
  readonly maxBytes: number
}

/** Commits that a reader may be behind; it holds on to the space that they freed. */
const maxBehind = 100_000
const slowLockMs = 1_000

/** A folder where a store is, or will be. */
export async function checkFolder(path: string): Promise<readonly Finding[]> {
  const found = await fileSystem(path)
  const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  return [judgeKind(found), judgeSpace(found), ...(isThere ? [judgeSync(path)] : [])]
}

export function hasStore(path: string): boolean {
  return statSync(join(path, 'store.mdb'), { throwIfNoEntry: false })?.isFile() === true
}

/** What is in it, and whether it can be used. Other processes may be using it. */
export async function checkStore(check: StoreCheck): Promise<readonly Finding[]> {
  const before = readLockFile(check.path)
  const users = new Set((before?.readers ?? []).map(({ pid }) => pid).filter(isAlive))
  const probe = new Probe(check)
  try {
    return [...judgeReaders(before, users), ...(await probe.run(users.size > 0))]
  } finally {
    await probe.end()
  }
}

function judgeReaders(file: LockFile | undefined, users: ReadonlySet<number>): readonly Finding[] {
  if (!file) return []
  const gone = new Set(file.readers.filter(({ pid, behind }) => behind !== null && !users.has(pid)).map(({ pid }) => pid))
  const slow = file.readers.filter(({ pid, behind }) => users.has(pid) && behind !== null && behind > maxBehind)
  const means = 'space that was freed since is not used again, and the file grows'
  if (slow.length > 0) return [notice('readers', `process ${slow[0]?.pid} looks at the store as it was ${slow[0]?.behind} commits ago`, means, 'see why it does not go on, or end it')]
  if (gone.size > 0) return [notice('readers', `${plural(gone.size, 'process', 'processes')} ended in the middle of reading: ${[...gone].join(', ')}`, means, 'nothing: whoever opens the store next clears them away, as this command just did')]
  return [ok('readers', users.size === 0 ? 'no process has the store open' : `${plural(users.size, 'process', 'processes')} with the store open: ${[...users].join(', ')}`)]
}

/** Follows the process that opens the store. */
class Probe {
  readonly #check: StoreCheck
  readonly #child: ChildProcess
  readonly #told: Told[] = []
  #wake: () => void = () => undefined
  #ending: string | undefined
  #isThrough = false

  constructor(check: StoreCheck) {
    this.#check = check
    this.#child = fork(fileURLToPath(new URL('store-probe.js', import.meta.url)), [check.path], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    this.#child.on('message', (message) => {
      const told = message as Told // the other side is store-probe.ts
      this.#told.push(told)
      this.#isThrough = told.step === 'surveyed' || told.step === 'failed'
      this.#wake()
    })
    this.#child.once('exit', (code, signal) => {
      this.#ending = signal ?? `exit code ${code}`
      this.#wake()
    })
  }

  /** One that has told all takes its leave of the store; one that hangs is ended. */
  async end(): Promise<void> {
    while (this.#isThrough && this.#ending === undefined && (await this.#stirs(this.#check.timeoutMs))) continue
    this.#child.kill('SIGKILL')
  }

  async run(inUse: boolean): Promise<readonly Finding[]> {
    const { timeoutMs } = this.#check
    // Starting a process takes its time on a busy machine, and says nothing of the store.
    const ready = await this.#next(timeoutMs * 6)
    if (ready?.step !== 'ready') return [this.#failure(ready, 'start')]
    const opened = await this.#next(timeoutMs)
    if (opened?.step !== 'opened') return [this.#failure(opened, 'open')]
    const written = await this.#next(timeoutMs)
    if (written?.step !== 'written') return [this.#failure(written, 'write')]
    const surveyed = await this.#next(timeoutMs * 6)
    if (surveyed?.step !== 'surveyed') return [judgeLock(written.ms), this.#failure(surveyed, 'read')]
    return [judgeLock(written.ms), this.#judgeSize(surveyed.first.bytes), ...judgeQueue({ ...surveyed, inUse })]
  }

  async #next(ms: number): Promise<Told | undefined> {
    if (this.#told.length === 0 && this.#ending === undefined) await this.#stirs(ms)
    return this.#told.shift()
  }

  /** False when it has neither told anything nor ended in that time. */
  #stirs(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  #failure(told: Told | undefined, step: string): Finding {
    const { path, timeoutMs } = this.#check
    if (told?.step === 'failed') return refused(told)
    if (this.#ending !== undefined) return wrong('store', `opening ${path} ended the process (${this.#ending})`, 'the file is damaged, or was changed by something else', 'restore it from a backup, or move it away to start empty')
    if (step === 'open' || step === 'write') return this.#held()
    return wrong('store', `it did not ${step} within ${span(timeoutMs * 6)}`, 'the machine or its disk is overloaded', 'see what else runs, and try with a longer --timeout')
  }

  #held(): Finding {
    const { path, timeoutMs } = this.#check
    const holder = holderOf(readLockFile(path)?.writer)
    const means = 'a process that stands still inside a commit stops all who write to this store: sends, acks and beats wait'
    const says = `the write lock was not free for ${span(timeoutMs)}`
    if (!holder || holder.pid === this.#child.pid) return wrong('write lock', `${says}; its holder cannot be seen from here`, means, 'look for a stopped or debugged process on this host, or in another container, that has the store open')
    const name = `process ${holder.pid} (${holder.command})`
    if (!holder.isStopped) return wrong('write lock', `${says}: ${name} holds it`, means, `see what it does; ending it (kill -KILL ${holder.pid}) frees the lock and loses nothing that was acknowledged`)
    return wrong('write lock', `${says}: ${name} holds it and is stopped`, means, `let it go on (kill -CONT ${holder.pid}), or end it (kill -KILL ${holder.pid}): that frees the lock and loses nothing that was acknowledged`)
  }

  #judgeSize(used: number): Finding {
    const { path, maxBytes } = this.#check
    const says = `${bytes(used)} of messages, at most ${bytes(maxBytes)}; the file has ${bytes(statSync(join(path, 'store.mdb')).size)}`
    const means = 'at the bound sending is refused with STORE_FULL'
    const todo = 'shorten the retention of large topics, see to groups that lag, or open the store with a larger maxBytes'
    if (used > maxBytes * 0.95) return wrong('size', says, means, todo)
    return used > maxBytes * 0.8 ? notice('size', says, means, todo) : ok('size', says)
  }
}

function judgeLock(ms: number): Finding {
  const says = `a commit took ${span(ms)}`
  return ms < slowLockMs ? ok('write lock', `free; ${says}`) : notice('write lock', says, 'some process holds the lock for long, or the disk is slow', 'see what else the machine and its disk do, and look again')
}

function refused({ error, message }: { readonly error: string; readonly message: string }): Finding {
  if (error === 'STORE_DAMAGED' || error === 'STORE_FOREIGN' || error === 'STORE_FULL') return wrong('store', message, 'it cannot be used as it is', 'as it says')
  return wrong('store', `it cannot be opened: ${message}`, 'no process can use it', 'correct what it says, and look again')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Of somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
