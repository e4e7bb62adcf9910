import { MillraceError } from '../../../core/errors.js'
import type { SocketFactory } from './module.js'

/** kafkajs's settings for a connection (its `KafkaConfig`) that say nothing about what is promised. */
export interface KafkaJsSettings {
  readonly ssl?: boolean | object
  readonly sasl?: object
  readonly connectionTimeout?: number
  readonly authenticationTimeout?: number
  readonly reauthenticationThreshold?: number
  /** How long one request may go without an answer, milliseconds. */
  readonly requestTimeout?: number
  readonly socketFactory?: SocketFactory
  readonly logLevel?: number
  readonly logCreator?: unknown
  readonly clientId?: string
}

const free = new Set(['ssl', 'sasl', 'connectionTimeout', 'authenticationTimeout', 'reauthenticationThreshold', 'requestTimeout', 'socketFactory', 'logLevel', 'logCreator', 'clientId'])

/** Refuses what would change a promise, and what kafkajs does not know and would not say so. */
export function checkSettings(settings: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(settings)) {
    if (free.has(name)) continue
    throw new MillraceError('CONFIG', `kafkajs: the setting ${name} is not the user's to choose; free are ${[...free].join(', ')}`, { field: name })
  }
  for (const name of ['connectionTimeout', 'authenticationTimeout', 'requestTimeout']) {
    const value = settings[name]
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value > 0)) continue
    throw new MillraceError('CONFIG', `kafkajs: ${name} is a number of milliseconds above 0`, { field: name })
  }
}
