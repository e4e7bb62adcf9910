/** Only these can be meant: 16 digits, or an exponent of three. */
const suspicious = /\d{16}|\d[eE]\+?\d{3}/

/**
 * A number in a JSON text that JavaScript would write as another one, as it is written there, or undefined: a whole one
 * above 2^53 that it cannot hold, and one beyond its range. Taking it would change a message behind its sender's back.
 * Others with a fraction or exponent are approximate anyway.
 */
export function inexactNumber(json: string): string | undefined {
  if (!suspicious.test(json)) return undefined
  // Texts are matched so that digits inside of them are passed over.
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    if (token.startsWith('"')) continue
    const number = Number(token)
    if (!Number.isFinite(number) || (/^-?\d{16,}$/.test(token) && String(number) !== token)) return token
  }
  return undefined
}
