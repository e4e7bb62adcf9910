import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { type Format, type Found, readTyped, readValues } from './reading.js'

async function read(format: Format, ...chunks: readonly (string | Buffer)[]): Promise<readonly Found[]> {
  const found: Found[] = []
  for await (const each of readValues({ stream: Readable.from(chunks.map((chunk) => Buffer.from(chunk))), format })) found.push(each)
  return found
}

const values = (found: readonly Found[]): unknown[] => found.map(({ value }) => value)

describe('what is read', () => {
  test('keeps characters that lie across chunks, and separators that JSON may have', async () => {
    const [one, two] = [Buffer.from('"龙\u2028"\r\n').subarray(0, 2), Buffer.from('"龙\u2028"\r\n').subarray(2)]
    expect(values(await read('jsonl', one, two))).toEqual(['龙\u2028'])
  })

  test('has no byte order mark', async () => {
    expect(values(await read('lines', '\ufeffa\nb'))).toEqual(['a', 'b'])
    expect(values(await read('csv', '\ufeffa,b\r\n1,"x\r\ny"\r\n'))).toEqual([{ a: '1', b: 'x\r\ny' }])
  })

  test('knows its lines, also past empty ones', async () => {
    expect(await read('jsonl', '1\n\n2\n')).toEqual([{ value: 1, line: 1 }, { value: 2, line: 3 }])
    expect((await read('csv', 'a\n1\n\n2\n')).map(({ line }) => line)).toEqual([2, 4])
  })

  test.each([
    ['jsonl', '1\n{', /^line 2 is not JSON/],
    ['jsonl', '1\n9007199254740993', /^line 2 has the number 9007199254740993/],
    ['lines', Buffer.from([97, 10, 255, 10]), /^line 2 is not text in UTF-8/],
    ['csv', Buffer.from([97, 10, 255, 10]), /^line 2 is not text in UTF-8/],
    ['csv', 'a,b\n1,2\n3\n', /on line 3$/],
  ] as const)('%s names the line that is wrong', async (format, text, message) => {
    await expect(read(format, text)).rejects.toThrow(message)
  })
})

test('what a person types is JSON where it is JSON, and is never rounded', () => {
  expect([readTyped('{"a":1}', false), readTyped('good morning', false), readTyped('7', true)]).toEqual([{ a: 1 }, 'good morning', '7'])
  expect(() => readTyped('9007199254740993', false)).toThrow(/would be rounded/)
})
