import type { Call } from './call.js'
import { consumingCalls } from './consuming-calls.js'
import type { Context } from './context.js'
import { deadLetterCalls } from './dead-letter-calls.js'
import { groupCalls } from './group-calls.js'
import { heldCalls } from './held-calls.js'
import { messageCalls } from './message-calls.js'
import { monitoringCalls } from './monitoring-calls.js'
import { topicCalls } from './topic-calls.js'

/** The route table. */
export function allCalls(context: Context): readonly Call[] {
  return [messageCalls, consumingCalls, topicCalls, groupCalls, heldCalls, deadLetterCalls, monitoringCalls].flatMap((calls) => calls(context))
}
