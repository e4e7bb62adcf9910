import type { Millis } from '../core/index.js'

/** How a handler ends its own run. Thrown by the context, never an error. */
export class Ending extends Error {
  readonly to: { readonly is: 'dead' } | { readonly is: 'later'; readonly ms: Millis }

  constructor(reason: string, to: Ending['to']) {
    super(reason)
    this.name = to.is === 'dead' ? 'DeadLetter' : 'RetryLater'
    this.to = to
  }
}

/** The message could not be read: it becomes a dead letter, whatever the policy. */
export class Unreadable extends Error {
  constructor(cause: unknown) {
    super('unreadable', { cause })
  }
}

export function deadLetter(reason: string): never {
  throw new Ending(reason, { is: 'dead' })
}

export function retryLater(ms: Millis): never {
  throw new Ending(`again in ${ms} ms`, { is: 'later', ms })
}
