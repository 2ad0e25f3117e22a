/**
 * The journal on disk is not what the writer wrote. The service does not start over it and a reader stops at it:
 * an operator must look, because going on would mean either to lose records or to build on altered ones.
 */
export class JournalDamage extends Error {
  override readonly name = 'JournalDamage'
  /** Path of the file that is damaged, missing, or does not belong there. */
  readonly file: string
  /** Where in the file, in bytes from its beginning. */
  readonly offset: number
  readonly expected: string
  readonly found: string

  constructor(file: string, offset: number, expected: string, found: string) {
    super(`journal damage in ${file} at byte ${offset}: expected ${expected}, found ${found}`)
    this.file = file
    this.offset = offset
    this.expected = expected
    this.found = found
  }
}
