/** Ways in which the bytes of a file go wrong. Each changes a copy, at places that `random` draws, and says in words what it did. */
const damages = {
  'flipped bit': (bytes, random) => {
    const at = random.between(0, bytes.length - 1)
    bytes[at] ^= 1 << random.between(0, 7)
    return { bytes, what: `a bit of byte ${at}` }
  },
  'flipped bits': (bytes, random) => {
    const page = random.between(0, bytes.length / 4_096 - 1)
    for (let left = random.between(2, 64); left > 0; left -= 1) bytes[page * 4_096 + random.between(0, 4_095)] ^= 1 << random.between(0, 7)
    return { bytes, what: `bits of page ${page}` }
  },
  'lost sector': (bytes, random) => {
    const sector = random.between(0, bytes.length / 512 - 1)
    bytes.fill(0, sector * 512, (sector + 1) * 512)
    return { bytes, what: `sector ${sector} is zero` }
  },
  'stray page': (bytes, random) => {
    const [from, to] = [random.between(0, bytes.length / 4_096 - 1), random.between(0, bytes.length / 4_096 - 1)]
    bytes.copy(bytes, to * 4_096, from * 4_096, (from + 1) * 4_096)
    return { bytes, what: `page ${to} has the bytes of page ${from}` }
  },
  'torn tail': (bytes, random) => {
    const length = random.between(0, bytes.length - 1)
    return { bytes: bytes.subarray(0, length), what: `cut to ${length} of ${bytes.length} bytes` }
  },
}

/** What a store must notice, and what it may miss: there LMDB's pages, which have no checksum and do not say whose they are, look as they should. */
export const promised = ['flipped bit', 'flipped bits', 'lost sector', 'torn tail']
export const beyond = ['stray page']

/** A damaged copy: `{ bytes, what }`. */
export function damage(kind, bytes, random) {
  return damages[kind](Buffer.from(bytes), random)
}
