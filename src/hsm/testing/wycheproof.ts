import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sourceDirectory } from './child.ts'

/** One case of a Wycheproof file; which members there are depends on the file. Byte strings are in hexadecimal. */
export type Case = {
  readonly tcId: number
  readonly comment?: string
  readonly flags: readonly string[]
  readonly result: 'valid' | 'acceptable' | 'invalid'
} & Readonly<
  Partial<
    Record<
      | 'aad'
      | 'c'
      | 'ct'
      | 'ctx'
      | 'iv'
      | 'K'
      | 'key'
      | 'label'
      | 'msg'
      | 'mu'
      | 'private'
      | 'public'
      | 'seed'
      | 'shared'
      | 'sig'
      | 'tag',
      string
    >
  >
>

export type Group = {
  readonly tests: readonly Case[]
  readonly ivSize?: number
  readonly keySize?: number
  readonly tagSize?: number
  readonly publicKeyDer?: string
  readonly privateKeyPkcs8?: string
  readonly privateSeed?: string
}

/** https://github.com/C2SP/wycheproof; `tests/vectors/wycheproof/README.md` says which version. */
export function wycheproof(file: string): readonly Group[] {
  const path = join(dirname(sourceDirectory), 'tests/vectors/wycheproof', file)
  return JSON.parse(readFileSync(path, 'utf8')).testGroups
}

export function bytes(hex: string | undefined): Buffer {
  return Buffer.from(hex ?? '', 'hex')
}

/** What became of the cases of one file. */
export class Tally {
  readonly #counts = new Map<string, number>()
  /** Cases whose outcome is not the one that the file asks for. */
  readonly wrong: string[] = []

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  /** Both outcomes are right for an acceptable case; which one it was is counted. */
  add({ tcId, comment, result, flags }: Case, accepted: boolean): void {
    this.count(result === 'acceptable' ? `acceptable ${accepted ? 'accepted' : 'refused'}` : result)
    const expected = result === 'acceptable' ? accepted : result === 'valid'
    if (accepted !== expected) {
      const what = accepted ? 'accepted' : 'refused'
      this.wrong.push(`${tcId} ${result}, ${what}: ${comment} [${flags}]`)
    }
  }

  get text(): string {
    return [...this.#counts].map(([what, count]) => `${count} ${what}`).join(', ')
  }
}
