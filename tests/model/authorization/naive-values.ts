/** Condition keys of a request, in any spelling, perhaps several times. */
export type Values = readonly (readonly [key: string, value: string | readonly string[]])[]

export type Found = {
  /** `ambiguous`: a key that has one value came more than once, with different values. */
  readonly kind: 'one' | 'several' | 'ambiguous'
  readonly values: readonly string[]
}

/** What the request says of a key, whatever the case of its name; undefined when it says nothing. */
export function valuesFor(values: Values, key: string): Found | undefined {
  const found = values.filter(
    ([name, value]) =>
      name.toLowerCase() === key.toLowerCase() && (typeof value === 'string' || value.length > 0),
  )
  const [first] = found
  if (first === undefined) return undefined
  const [, value] = first
  if (found.some(([, other]) => other !== value)) {
    return { kind: 'ambiguous', values: found.flatMap(([, each]) => each) }
  }
  return typeof value === 'string'
    ? { kind: 'one', values: [value] }
    : { kind: 'several', values: value }
}
