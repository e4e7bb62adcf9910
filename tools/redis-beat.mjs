// Makes the client that members of the conformance suite beat with, from a thread of their own.
import { makerOf } from './redis-harness.mjs'

export async function client() {
  const { client: name, topology, at } = Object.fromEntries(new URL(import.meta.url).searchParams)
  const make = await makerOf(name, topology)
  return (await make(JSON.parse(at))).client
}
