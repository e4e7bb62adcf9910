import type { Stir } from '../../engine/engine.js'

const words: ReadonlySet<string> = new Set<Stir['what']>(['ready', 'room', 'held', 'parked', 'members', 'paused'])

/** A stir as it is told on a channel of its topic: what, and the group where it is of one. */
export function stirText({ what, group }: Pick<Stir, 'what' | 'group'>): string {
  return group === undefined ? what : `${what} ${group}`
}

/** What was told on a channel of a topic, where it concerns who watches. */
export function stirOf(topic: string, text: string): Stir | undefined {
  const [what = '', group] = text.split(' ')
  if (!isWhat(what)) return undefined
  return group === undefined ? { what, topic } : { what, topic, group }
}

function isWhat(word: string): word is Stir['what'] {
  return words.has(word)
}
