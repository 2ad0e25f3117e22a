import type { StoredPart } from './attributes.ts'

/**
 * Parts as they stand in a row, which a listing reads as well: most have the same size, and numbers from 1 on, and then
 * ten thousand take no more room than two.
 */
export type PackedParts = {
  readonly sizes: readonly (readonly [count: number, size: number])[]
  /** Absent where they are 1, 2, 3 … */
  readonly numbers?: readonly number[] | undefined
  /** All of one length, joined, in Base64; absent unless each part has one. */
  readonly checksums?: string | undefined
}

export function packParts(parts: readonly StoredPart[]): PackedParts {
  const sizes: [number, number][] = []
  for (const { size } of parts) {
    const last = sizes.at(-1)
    if (last?.[1] === size) last[0] += 1
    else sizes.push([1, size])
  }
  const inOrder = parts.every(({ number }, at) => number === at + 1)
  const checksums = parts.flatMap(({ checksum }) => checksum ?? [])
  const joined = Buffer.concat(checksums.map((each) => Buffer.from(each, 'base64')))
  return {
    sizes,
    ...(!inOrder && { numbers: parts.map(({ number }) => number) }),
    ...(checksums.length === parts.length && { checksums: joined.toString('base64') }),
  }
}

export function unpackParts({ sizes, numbers, checksums }: PackedParts): readonly StoredPart[] {
  const parts: StoredPart[] = []
  const count = sizes.reduce((sum, [each]) => sum + each, 0)
  const joined = checksums === undefined ? undefined : Buffer.from(checksums, 'base64')
  const width = (joined?.length ?? 0) / count
  for (const [times, size] of sizes) {
    for (let time = 0; time < times; time++) {
      const at = parts.length
      const checksum = joined?.toString('base64', at * width, (at + 1) * width)
      parts.push({ number: numbers?.[at] ?? at + 1, size, ...(checksum && { checksum }) })
    }
  }
  return parts
}
