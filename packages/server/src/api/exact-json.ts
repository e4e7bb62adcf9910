const longDigits = /\d{16}/

/**
 * A whole number in a JSON text that JavaScript cannot hold exactly (above 2^53), as it is written there, or undefined.
 * Taking it would change a message behind its sender's back. Numbers with a fraction or exponent are approximate anyway.
 */
export function inexactNumber(json: string): string | undefined {
  if (!longDigits.test(json)) return undefined
  // Texts are matched so that digits inside of them are passed over.
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    if (/^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token))) return token
  }
  return undefined
}
