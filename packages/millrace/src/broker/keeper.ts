import { type Cancel, isMillraceError, type ProducerGroup } from '../core/index.js'
import type { Check, Keeping } from '../engine/index.js'
import { backoffMs } from './backoff.js'
import { traced } from './diagnostics.js'
import type { Runtime } from './runtime.js'

/** Keeps: ripens what is due, and answers for the producer groups that have a checker here. */
export class Keeper {
  readonly #runtime: Runtime
  readonly #answers = new Map<ProducerGroup, Check>()
  #keeping: Keeping | undefined
  #turn: Promise<void> = Promise.resolve()
  #retry: Cancel | undefined
  #failures = 0
  #isStopped = false

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Begins, and tries again behind when the engine refuses for now. */
  start(): Promise<void> {
    return this.#restart().catch((error: unknown) => this.#tryLater(error))
  }

  /** Resolves when the checker is asked. Errors: UNSUPPORTED. */
  async answer(group: ProducerGroup, check: Check): Promise<void> {
    this.#answers.set(group, (held) => this.#traced(check, held))
    try {
      await this.#restart()
    } catch (error) {
      this.#answers.delete(group)
      await this.start()
      throw error
    }
  }

  /** Stops after what is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#retry?.()
    await this.#turn
    await this.#keeping?.stop()
    this.#keeping = undefined
  }

  /** One after another: the engine knows the checkers that it was handed when it began to keep. */
  #restart(): Promise<void> {
    const turn = this.#turn.then(() => this.#keepAnew())
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #keepAnew(): Promise<void> {
    if (this.#isStopped) return
    const before = this.#keeping
    this.#keeping = undefined
    await before?.stop()
    this.#keeping = await this.#runtime.engine.keep({ answers: new Map(this.#answers) })
    this.#failures = 0
  }

  #tryLater(error: unknown): void {
    if (this.#isStopped || (isMillraceError(error) && error.code === 'CLOSED')) return
    this.#runtime.report(error)
    this.#failures += 1
    this.#retry = this.#runtime.clock.after(backoffMs(this.#failures, this.#runtime.random), () => void this.start())
  }

  #traced(check: Check, held: Parameters<Check>[0]): ReturnType<Check> {
    return traced('check', () => ({ engine: this.#runtime.engine.name, held }), async (operation) => {
      const answer = await check(held)
      if (operation) operation.answer = answer
      return answer
    })
  }
}
