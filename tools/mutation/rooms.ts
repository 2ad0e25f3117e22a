import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

/** Code whose mutants are tested, and the tests that may kill them: globs from the root. */
export type Room = {
  readonly name: string
  readonly sources: string
  readonly tests: readonly string[]
  /** Sources and tests that are another room's. */
  readonly except?: readonly string[]
}

const analyse = 'src/authorize/analyse/**/*.ts'

export const rooms: readonly Room[] = [
  {
    name: 'authenticate',
    sources: 'src/authenticate/**/*.ts',
    tests: ['src/authenticate/**/*.test.ts'],
  },
  {
    name: 'authorize',
    sources: 'src/authorize/**/*.ts',
    // What a record says of a decision, and making it again from there, are tested together.
    tests: [
      ...['src/authorize/**/*.test.ts', 'tests/authorization/*.test.ts'],
      'src/record/authorization.test.ts',
    ],
    except: [analyse],
  },
  { name: 'analyse', sources: analyse, tests: ['src/authorize/analyse/**/*.test.ts'] },
]

/** Code that serves only tests. */
const notMutated = /\.test\.ts$|\/testing\/|\/test-[^/]+\.ts$/

/** The files of a room that lie in one of the folders or are one of the files; all when none is named. */
export function sourcesOf({ sources, except = [] }: Room, paths: readonly string[]): string[] {
  return globSync(sources, { cwd: root, exclude: except })
    .filter((file) => !notMutated.test(file))
    .filter((file) => paths.length === 0 || paths.some((path) => contains(path, file)))
    .sort()
}

export function testsOf({ tests, except = [] }: Room, without: readonly string[]): string[] {
  return globSync([...tests], { cwd: root, exclude: except })
    .filter((file) => !without.some((path) => contains(path, file)))
    .sort()
}

function contains(path: string, file: string): boolean {
  return file === path || file.startsWith(`${path.replace(/\/$/, '')}/`)
}

/** One of `count` parts of about the same size; a file is in exactly one of them. */
export function partOf(files: readonly string[], part: number, count: number): string[] {
  const sizes = files.map((file) => [file, statSync(join(root, file)).size] as const)
  const parts = Array.from({ length: count }, () => ({ size: 0, files: [] as string[] }))
  for (const [file, size] of sizes.toSorted((a, b) => b[1] - a[1])) {
    const smallest = parts.reduce((least, each) => (each.size < least.size ? each : least))
    smallest.size += size
    smallest.files.push(file)
  }
  return (parts[part - 1]?.files ?? []).sort()
}
