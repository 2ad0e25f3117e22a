import { type Complete, ObjectRefusal, type Part } from './port.ts'

/** The most parts that an upload has, and their greatest number: AWS's limit. */
export const partsMax = 10_000

/** Throws 'invalid-part-order', 'invalid-part'. */
export function chooseParts(all: readonly Part[], chosen: Complete['parts']): Part[] {
  const byNumber = new Map(all.map((part) => [part.number, part]))
  if (chosen.length === 0) throw new ObjectRefusal('invalid-part', 'an object has parts')
  let last = 0
  return chosen.map(({ number, etag }) => {
    if (number <= last) throw new ObjectRefusal('invalid-part-order')
    last = number
    const part = byNumber.get(number)
    if (part === undefined || part.etag !== etag) throw new ObjectRefusal('invalid-part')
    return part
  })
}

/** Throws 'invalid-part'. */
export function requirePartNumber(number: number): void {
  if (Number.isInteger(number) && number >= 1 && number <= partsMax) return
  throw new ObjectRefusal('invalid-part', `parts have numbers from 1 to ${partsMax}`)
}
