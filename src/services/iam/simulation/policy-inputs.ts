import { invalidInput } from '../errors.ts'

/** As many as one of them may have: all of them are read in one piece, for which others wait. */
const charactersMax = 131_072

/** Throws 'invalid-input' when the policies that a request passes are longer together than one may be. */
export function requireBoundedInputs(...lists: readonly (readonly string[] | undefined)[]): void {
  const characters = lists
    .flatMap((texts) => texts ?? [])
    .reduce((sum, { length }) => sum + length, 0)
  if (characters > charactersMax) {
    throw invalidInput(`The policies of a request may have ${charactersMax} characters together.`)
  }
}
