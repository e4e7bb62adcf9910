import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Flight } from './flight.js'

describe('flight', () => {
  it('keeps the watermark at the lowest unfinished offset, in whatever order offsets finish and return', () => {
    const step = fc.record({ take: fc.nat(300), finish: fc.nat(300), which: fc.nat(1_000) })
    const property = fc.property(fc.array(step, { maxLength: 30, size: 'max' }), fc.nat(2 ** 33), (steps, start) => {
      const flight = new Flight(start)
      const leased: number[] = []
      const returned: number[] = []
      for (const { take, finish, which } of steps) {
        for (let count = 0; count < take; count += 1) leased.push(flight.take())
        for (let count = 0; count < finish && leased.length > 0; count += 1) {
          const [offset = -1] = leased.splice((which * count) % leased.length, 1)
          if (count % 5 === 0) {
            flight.giveBack(offset)
            returned.push(offset)
          } else if (!flight.finish(offset) || flight.finish(offset)) throw new Error(`${offset} finishes once`)
        }
        for (const offset of returned.splice(0, which % 3)) {
          flight.takeAgain(offset)
          leased.push(offset)
        }
        expect([flight.leased, flight.returned]).toEqual([leased.length, returned.length])
        expect(flight.low).toBe(Math.min(flight.next, ...leased, ...returned))
        expect(flight.leasedOffsets()).toEqual([...leased].sort((one, other) => one - other))
      }
    })
    fc.assert(property)
  })

  it('knows nothing of offsets outside its window', () => {
    const flight = new Flight(10)
    flight.take()
    for (const offset of [9, 11, 74]) expect([flight.isLeased(offset), flight.isUnfinished(offset), flight.finish(offset)]).toEqual([false, false, false])
    flight.finish(10)
    flight.skipTo(500)
    expect([flight.low, flight.next, flight.take()]).toEqual([500, 500, 500])
  })
})
