import { Command, InvalidArgumentError } from 'commander'
import { Client } from './client.js'
import type { Output } from './output.js'

export interface CommonOptions {
  readonly url: string
  readonly json?: boolean
}

export const defaultUrl = 'http://127.0.0.1:7420'

/** A command that asks a server. */
export function asking(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--url <url>', 'address of the server (MILLRACE_URL)', process.env['MILLRACE_URL'] ?? defaultUrl)
    .option('--json', 'print JSON, for programs')
}

export function clientOf({ url }: CommonOptions): Client {
  return new Client(url, process.env['MILLRACE_TOKEN'])
}

export function outputOf({ json = false }: CommonOptions): Output {
  return { json }
}

export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number.')
}

export function positiveNumber(text: string): number {
  const number = wholeNumber(text)
  if (number > 0) return number
  throw new InvalidArgumentError('Give a whole number above 0.')
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `500ms`, `30s`, `15m`, `2h`, `7d`; a bare number is seconds. */
export function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('Give a time such as 500ms, 30s, 15m, 2h or 7d.')
  return Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs]) // the pattern allows no other
}

/** Collects a repeated option. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
