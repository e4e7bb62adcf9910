/** Ids that nobody else makes: 96 random bits for this maker, then a count. They sort in the order they were made. */
export function makeIds(): () => string {
  let prefix: string | undefined
  let count = 0
  return () => {
    prefix ??= Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString('hex')
    count += 1
    return `${prefix}-${count.toString(36).padStart(7, '0')}`
  }
}
