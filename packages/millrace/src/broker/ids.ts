const endings = Array.from({ length: 36 ** 2 }, (_, count) => digits(count, 2))

function digits(count: number, width: number): string {
  return count.toString(36).padStart(width, '0')
}

/** Ids that nobody else makes: 96 random bits for this maker, then a count. They sort in the order they were made. */
export function makeIds(): () => string {
  let prefix: string | undefined
  let count = 0
  let block = ''
  return () => {
    const ending = count % endings.length
    // Written out once for all ids that differ in the last two digits alone.
    if (ending === 0) {
      prefix ??= Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString('hex')
      block = `${prefix}-${digits(count / endings.length, 5)}`
    }
    count += 1
    return block + endings[ending]
  }
}
