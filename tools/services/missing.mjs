/** A service cannot run here, and the message says what to install. Anything else that goes wrong is an ordinary error. */
export class Missing extends Error {
  name = 'Missing'
}
