import { asMillraceError, type Draft, type Hold, isMillraceError, MillraceError, type Receipt, type Topic } from '../core/index.js'
import type { Published } from '../engine/index.js'
import type { Drafter, Drafting } from './drafter.js'
import { draftsBytes, type Outbox, type Parcel, sendError } from './outbox.js'
import type { SendItem, SendManyOptions, SendOptions } from './send.js'
import type { TopicContract } from './topic-contract.js'
import type { TopicBook } from './topics.js'

/** Sends: makes drafts and puts them into the outbox, in the order of the calls. */
export class Producer {
  readonly #book: TopicBook
  readonly #drafter: Drafter
  readonly #outbox: Outbox

  constructor(book: TopicBook, drafter: Drafter, outbox: Outbox) {
    this.#book = book
    this.#drafter = drafter
    this.#outbox = outbox
  }

  send<Input>(contract: TopicContract<Input, unknown>, value: Input, options: SendOptions = {}, hold?: Hold): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted) throw aborted(options.signal)
      const made = this.#make(contract, value, options, hold)
      const late = made instanceof Promise
      const parcel: Parcel = {
        drafts: late ? undefined : [made],
        messages: 1,
        bytes: late ? 0 : (made.value?.byteLength ?? 0),
        level: options.durability,
        dropped: 0,
        state: 'line',
        answered: ([answer]) => {
          if (abort) options.signal?.removeEventListener('abort', abort)
          this.#answer(contract.name, answer, resolve, reject)
        },
      }
      const abort = options.signal && this.#heed(options.signal, parcel, reject)
      if (late) this.#finishLater(parcel, made)
      void this.#outbox.put(parcel)
    })
  }

  async sendMany<Input>(contract: TopicContract<Input, unknown>, items: readonly SendItem<Input>[], options: SendManyOptions = {}): Promise<readonly Published[]> {
    if (options.signal?.aborted) throw aborted(options.signal)
    const topic = this.#book.known(contract.name) ?? (await this.#book.find(contract))
    const size = this.#outbox.parcelSize
    if (items.length <= size) return this.#sendPart(contract, topic, items, options).answers
    const parts: Promise<readonly Published[]>[] = []
    for (let at = 0; at < items.length; at += size) {
      const { accepted, answers } = this.#sendPart(contract, topic, items.slice(at, at + size), options)
      parts.push(answers)
      await accepted
    }
    return (await Promise.all(parts)).flat()
  }

  #sendPart<Input>(contract: TopicContract<Input, unknown>, topic: Topic, items: readonly SendItem<Input>[], options: SendManyOptions): { accepted: void | Promise<void>; answers: Promise<readonly Published[]> } {
    if (options.signal?.aborted) return { accepted: undefined, answers: Promise.resolve(refused(items.length, aborted(options.signal))) }
    const drafting = this.#drafter.to(contract, topic)
    const made = items.map((item) => tryDraft(drafting, item))
    const late = made.some((each) => each instanceof Promise)
    let accepted: void | Promise<void> = undefined
    const answers = new Promise<readonly Published[]>((resolve) => {
      let all: readonly (Draft | MillraceError)[] = late ? [] : (made as readonly (Draft | MillraceError)[]) // none is late
      const drafts = late ? undefined : good(all)
      const parcel: Parcel = {
        drafts,
        messages: items.length,
        bytes: drafts ? draftsBytes(drafts) : 0,
        level: options.durability,
        dropped: 0,
        state: 'line',
        answered: (given) => resolve(this.#merge(contract.name, all, given)),
      }
      if (late) this.#finishLater(parcel, Promise.all(made.map(async (each) => each)).then((finished) => good((all = finished))))
      accepted = this.#outbox.put(parcel)
    })
    return { accepted, answers }
  }

  /** One answer for each item: the engine's, or what was wrong with it before. */
  #merge(topic: string, all: readonly (Draft | MillraceError)[], given: readonly Published[]): readonly Published[] {
    if (given.some((answer) => 'error' in answer && isStale(answer.error))) this.#book.forget(topic)
    if (given.length === all.length || all.length === 0) return given
    const answers = given[Symbol.iterator]()
    return all.map((each) => (isMillraceError(each) ? { error: each, stored: 'no' as const } : (answers.next().value ?? noAnswer())))
  }

  #make<Input>(contract: TopicContract<Input, unknown>, value: Input, options: SendOptions, hold?: Hold): Draft | Promise<Draft> {
    const topic = this.#book.known(contract.name)
    if (topic) {
      try {
        return this.#drafter.to(contract, topic).draft(value, options, hold)
      } catch (error) {
        throw asSendError(error)
      }
    }
    return this.#book.find(contract).then((found) => this.#drafter.to(contract, found).draft(value, options, hold))
  }

  #finishLater(parcel: Parcel, made: Promise<Draft | readonly Draft[]>): void {
    made.then(
      (drafts) => this.#outbox.ready(parcel, 'id' in drafts ? [drafts] : drafts),
      (error: unknown) => this.#outbox.ready(parcel, asSendError(error)),
    )
  }

  #answer(topic: string, answer: Published | undefined, resolve: (receipt: Receipt) => void, reject: (error: unknown) => void): void {
    if (answer && 'ok' in answer) return resolve(answer.ok)
    if (answer && isStale(answer.error)) this.#book.forget(topic)
    return reject((answer && sendError(answer)) ?? new MillraceError('ENGINE_FAILED', 'the engine gave no answer'))
  }

  #heed(signal: AbortSignal, parcel: Parcel, reject: (error: unknown) => void): () => void {
    const abort = (): void => {
      if (this.#outbox.withdraw(parcel, aborted(signal)) || parcel.state === 'over') return
      reject(new MillraceError('UNKNOWN_OUTCOME', 'aborted while it was under way: it may have been stored', { cause: signal.reason }))
    }
    signal.addEventListener('abort', abort, { once: true })
    return abort
  }
}

function tryDraft<Input>(drafting: Drafting<Input>, item: SendItem<Input>): Draft | MillraceError | Promise<Draft | MillraceError> {
  try {
    const draft = drafting.draft(item.value, item)
    return draft instanceof Promise ? draft.catch(asSendError) : draft
  } catch (error) {
    return asSendError(error)
  }
}

/** What the answer says about the topic book: that it was wrong. */
function isStale({ code, field }: MillraceError): boolean {
  return code === 'UNKNOWN_TOPIC' || (code === 'INVALID' && field === 'partition')
}

function good(all: readonly (Draft | MillraceError)[]): readonly Draft[] {
  if (!all.some(isMillraceError)) return all as readonly Draft[] // none is an error
  return all.filter((each): each is Draft => !isMillraceError(each))
}

function noAnswer(): Published {
  return { error: new MillraceError('ENGINE_FAILED', 'the engine gave no answer'), stored: 'unknown' }
}

function refused(count: number, error: MillraceError): readonly Published[] {
  return Array.from({ length: count }, () => ({ error, stored: 'no' as const }))
}

function asSendError(error: unknown): MillraceError {
  return asMillraceError(error, 'INVALID', 'the message could not be made')
}

function aborted(signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', 'aborted before it was sent', { cause: signal.reason })
}
