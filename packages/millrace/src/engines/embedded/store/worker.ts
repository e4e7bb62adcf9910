import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../../core/clock.js'
import { asMillraceError } from '../../../core/errors.js'
import { TurnedClock } from '../../../core/turned-clock.js'
import type { Reply, Request, StoreSettings } from '../protocol.js'
import { Bell } from './bell.js'
import { wireError } from './commands.js'
import type { LmdbModule } from './lmdb.js'
import { Session } from './session.js'
import { Store } from './store.js'

// The store's own thread: LMDB's writer, the members' beats and the keeper live here, so that none of the
// application's JavaScript runs while the writer lock is held, and a busy application loses no lease.

const settings = workerData as StoreSettings
const turned = settings.clock ? new TurnedClock(settings.clock) : undefined
const clock = turned ?? systemClock
const alive = new Float64Array(settings.alive)

function post(reply: Reply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(reply, transfer)
}

async function openSession(): Promise<{ store: Store; session: Session }> {
  const lmdb = (await import(settings.lmdb)) as LmdbModule
  const store = new Store(lmdb, settings, clock)
  const bell = new Bell(settings.path, () => session.rung())
  const session = new Session(store, clock, bell, { maxBytes: settings.maxBytes, alive: () => alive[0] ?? 0 }, post)
  return { store, session }
}

/** Verbs for the thread itself; the others are the session's. */
async function receive({ store, session }: Awaited<ReturnType<typeof openSession>>, requests: readonly Request[]): Promise<void> {
  for (const request of requests) {
    if (request.verb === 'turn') {
      session.flush()
      turned?.fire()
      session.flush()
      post({ call: request.call, ok: turned?.nextDue() })
    } else if (request.verb === 'die' || request.verb === 'close') {
      if (request.verb === 'close') session.flush()
      session.stop()
      await store.close()
      post({ call: request.call, ok: undefined })
      parentPort?.close()
      return
    } else session.receive([request])
  }
}

try {
  const opened = await openSession()
  parentPort?.on('message', (requests: readonly Request[]) => void receive(opened, requests))
  post({ event: 'opened' })
} catch (error) {
  post({ event: 'failed', error: wireError(asMillraceError(error, 'CONFIG', `cannot load ${settings.lmdb}`)) })
}
