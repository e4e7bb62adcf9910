import { describe, expect, it } from 'vitest'
import { SparseFlight } from './sparse-flight.js'

/** As packed stream ids are: far apart, with runs that follow each other. */
const places = [40_960, 40_961, 81_920, 7_241_344_000_000_000, 7_241_344_000_000_001]

function taken(): SparseFlight {
  const flight = new SparseFlight(17)
  for (const place of places) flight.take(place)
  return flight
}

describe('sparse flight', () => {
  it('begins where it was told to, and reads on after what was taken last', () => {
    const flight = new SparseFlight(17)
    expect([flight.low, flight.next]).toEqual([17, 17])
    flight.take(40_960)
    expect([flight.low, flight.next]).toEqual([40_960, 40_961])
    flight.finish(40_960)
    expect([flight.low, flight.next]).toEqual([40_961, 40_961])
  })

  it('gives runs from the first message to after the last, and breaks them where one between is finished', () => {
    const flight = taken()
    expect(flight.runs('leased')).toEqual([[places[0], places[4]! + 1]])
    flight.finish(places[2]!)
    flight.giveBack(places[4]!)
    expect(flight.runs('leased')).toEqual([[40_960, 40_962], [places[3], places[3]! + 1]])
    expect(flight.runs('returned')).toEqual([[places[4], places[4]! + 1]])
    expect(flight.leasedOffsets()).toEqual([places[0], places[1], places[3]])
  })

  it('knows nothing of places that were not taken', () => {
    const flight = taken()
    for (const place of [0, 40_959, 40_962, 81_919, places[4]! + 1]) {
      flight.giveBack(place)
      flight.takeAgain(place)
      expect([flight.isLeased(place), flight.isUnfinished(place), flight.finish(place)]).toEqual([false, false, false])
    }
    expect([flight.leased, flight.returned]).toEqual([5, 0])
  })

  it('keeps only what is not finished', () => {
    const flight = new SparseFlight(0)
    for (let round = 1; round <= 10_000; round += 1) {
      flight.take(round * 4_096)
      if (round > 10) flight.finish((round - 10) * 4_096)
      expect(flight.size).toBeLessThanOrEqual(10)
    }
    expect(flight.leasedOffsets()).toHaveLength(10)
  })
})
