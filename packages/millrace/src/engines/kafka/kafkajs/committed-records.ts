import type { Offset } from '../../../core/message.js'
import type { KafkaRecord } from '../port.js'
import { decompress } from './decompress.js'
import type { CompressionCodecs } from './module.js'
import { isAbort, recordsOf, splitBatches, type PackedBatch } from './record-batch.js'
import type { FetchAnswer } from './wire-calls.js'
import { MillraceError } from '../../../core/errors.js'

export interface Committed {
  readonly records: readonly KafkaRecord[]
  /** After the last offset that was looked at, that of markers and of what was undone included. */
  readonly next: Offset
}

/** The records of a fetch at `from` and after that were committed: markers and the records of undone transactions are passed over. */
export async function committedRecords(answer: FetchAnswer, from: Offset, codecs: CompressionCodecs | undefined): Promise<Committed> {
  const batches = splitBatches(answer.bytes)
  if (batches === undefined) throw new MillraceError('ENGINE_FAILED', `topic ${answer.topic}: its records have the format of a Kafka before 0.11, which is not read here`)
  const aborted = new AbortedTransactions(answer.aborted)
  const records: KafkaRecord[] = []
  let next = from
  for (const batch of batches) {
    const undone = aborted.covers(batch)
    if (batch.last < from) continue
    next = batch.last + 1n
    if (undone || batch.control) continue
    const plain = batch.codec === 0 ? batch.packed : await decompress(codecs, batch.codec, batch.packed)
    const found = recordsOf(batch, plain, from, answer.topic, answer.partition)
    if (records.length === 0) records.push(...found)
    else for (const each of found) records.push(each)
  }
  return { records, next }
}

/** Whether a batch belongs to a transaction that was undone; batches are asked about in the order of the log. */
class AbortedTransactions {
  readonly #coming: { readonly producerId: bigint; readonly first: Offset }[]
  readonly #open = new Set<bigint>()

  constructor(aborted: FetchAnswer['aborted']) {
    this.#coming = [...aborted].sort((a, b) => (a.first < b.first ? -1 : 1))
  }

  covers(batch: PackedBatch): boolean {
    for (let [first] = this.#coming; first !== undefined && first.first <= batch.last; [first] = this.#coming) {
      this.#open.add(first.producerId)
      this.#coming.shift()
    }
    if (batch.control && isAbort(batch.packed)) this.#open.delete(batch.producerId)
    return batch.transactional && !batch.control && this.#open.has(batch.producerId)
  }
}
