/**
 * What the tests of a mutation run get for `node:test`: it collects the tests of a file instead of running them, so
 * that one process can run them for one mutant after another. Only the forms that the rooms' tests use are there.
 */
export type CollectedTest = {
  /** The names of its groups and its own, joined by ` > `. */
  readonly name: string
  readonly body: () => unknown
}

let groups: string[] = []
let found: CollectedTest[] = []

export function test(name: string, body: () => unknown): void {
  // A test that wants a context, options or a callback would silently test less.
  if (typeof body !== 'function' || body.length > 0) {
    throw new TypeError(`'${name}': only test(name, () => …) can be run for mutants`)
  }
  found.push({ name: [...groups, name].join(' > '), body })
}

export function describe(name: string, body: () => void): void {
  const outer = groups
  groups = [...outer, name]
  const result: unknown = body()
  groups = outer
  if (result instanceof Promise) throw new TypeError(`'${name}': a group is collected at once`)
}

/** The tests that have been collected since the last call. */
export function takeTests(): readonly CollectedTest[] {
  const taken = found
  groups = []
  found = []
  return taken
}
