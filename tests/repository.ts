import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file of the repository: its path from the root, with `/`, and its text. */
export type SourceFile = { readonly path: string; readonly text: string }

export const root = join(import.meta.dirname, '..')

const notOurs = new Set(['node_modules', '.git', 'data', 'kagiban-data'])

/**
 * Every file that is in the repository or about to be: what git tracks and what it neither tracks nor ignores. Without
 * git (an unpacked archive) every file there is.
 */
export function repositoryFiles(): string[] {
  return (listedByGit() ?? walk('')).filter((path) => existsSync(join(root, path))).sort()
}

/** Files that hold no NUL byte. */
export function repositoryTexts(paths: readonly string[] = repositoryFiles()): SourceFile[] {
  return paths
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'))
}

function listedByGit(): string[] | undefined {
  if (!existsSync(join(root, '.git'))) return undefined
  try {
    const options = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
    const output = execFileSync('git', options, { cwd: root, encoding: 'utf8', stdio: 'pipe' })
    return [...new Set(output.split('\0').filter((path) => path !== ''))]
  } catch {
    return undefined
  }
}

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return []
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    return entry.isDirectory() ? walk(path) : [path]
  })
}

/** Tests, and code that serves only tests. */
export function isTestCode({ path, text }: SourceFile): boolean {
  return (
    path.startsWith('tests/') ||
    path.endsWith('.test.ts') ||
    path.includes('/testing/') ||
    /^import .*'node:test'$/m.test(text)
  )
}

export type Import = {
  readonly specifier: string
  /** Erased before it runs. */
  readonly typeOnly: boolean
}

const statement = /^[ \t]*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s*)?(['"])([^'"\n]+)\2/gm
const call = /\bimport\(\s*(['"])([^'"\n]+)\1/g
const workerUrl = /new URL\(\s*(['"])(\.[^'"\n]+)\1\s*,\s*import\.meta\.url/g

/** What a module's source imports, and what it starts as a worker beside it. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source)
  return [
    ...[...code.matchAll(statement)].map(([, type, , specifier = '']) => ({
      specifier,
      typeOnly: type !== undefined,
    })),
    ...[...code.matchAll(call), ...code.matchAll(workerUrl)].map(([, , specifier = '']) => ({
      specifier,
      typeOnly: false,
    })),
  ]
}

/** Good enough to look for words: a string that holds `//` after a space loses its end. */
export function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/ .*$/gm, '$1')
}
