import { expect, it } from 'vitest'
import { ReportedOffsets } from './reported-offsets.js'

it('places of a batch that the broker had already are not known, and those after it are', () => {
  const offsets = new ReportedOffsets()
  const of = (partition: number, ...reported: readonly number[]): (bigint | undefined)[] => reported.map((offset) => offsets.of({ topic: 't', partition, offset, opaque: 0 }))
  expect(of(0, 7, 8)).toEqual([7n, 8n])
  expect(of(0, -1001, 0, 1)).toEqual([undefined, undefined, undefined])
  expect(of(1, 2, 3)).toEqual([2n, 3n])
  expect(of(0, 12, 13)).toEqual([12n, 13n])
  expect(of(0, -1001)).toEqual([undefined])
  expect(of(0, -1001, 0)).toEqual([undefined, undefined])
  expect(of(0, 16, 17)).toEqual([16n, 17n])
})
