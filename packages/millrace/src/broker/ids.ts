const digits = '0123456789abcdefghijklmnopqrstuvwxyz'
const endings = [...digits].flatMap((first) => [...digits].map((second) => first + second))

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
      block = `${prefix}-${(count / endings.length).toString(36).padStart(5, '0')}`
    }
    count += 1
    return block + endings[ending]
  }
}
