import type { ByteRange, Segment } from './port.ts'

/** The bytes that a range means in an object of that size, the end excluded; empty when it fits nothing. */
export function bounds(range: ByteRange | undefined, size: number): [start: number, end: number] {
  if (range === undefined) return [0, size]
  if ('suffix' in range) return [Math.max(0, size - range.suffix), size]
  const end = Math.min(size, (range.last ?? size) + 1)
  return [Math.min(range.first, end), end]
}

/** The segments that have bytes of the range; all of them without one. */
export function overlapping<S extends Pick<Segment, 'start' | 'size'>>(
  segments: readonly S[],
  range: ByteRange | undefined,
  size: number,
): readonly S[] {
  if (range === undefined) return segments
  const [from, end] = bounds(range, size)
  return segments.filter((each) => each.start < end && each.start + each.size > from)
}
