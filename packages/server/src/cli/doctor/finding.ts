/** wrong: messages are lost or stuck, or will be. notice: worth a look. */
export interface Finding {
  readonly level: 'ok' | 'notice' | 'wrong'
  /** What was looked at, in a word. */
  readonly check: string
  readonly says: string
  /** What it means for messages. */
  readonly means?: string
  readonly todo?: string
}

export function ok(check: string, says: string): Finding {
  return { level: 'ok', check, says }
}

export function notice(check: string, says: string, means: string, todo: string): Finding {
  return { level: 'notice', check, says, means, todo }
}

export function wrong(check: string, says: string, means: string, todo: string): Finding {
  return { level: 'wrong', check, says, means, todo }
}

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)))
  return `${(count / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

export function span(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const seconds = ms / 1_000
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
