import { parseRegion, type Region } from '../base/ids.ts'
import type { Mirror } from '../storage/mirror.ts'
import { type Command, OperatorError } from './socket.ts'

/** What a command was given: nothing of it has been checked yet. */
export type Input = Readonly<Record<string, unknown>>

/** What other processes have committed counts for an operator as it does for a request. */
export function refreshed(
  mirror: Mirror,
  commands: Readonly<Record<string, Command>>,
): Readonly<Record<string, Command>> {
  const fresh =
    (command: Command): Command =>
    async (input, progress) => {
      await mirror.refresh()
      return command(input, progress)
    }
  return Object.fromEntries(
    Object.entries(commands).map(([name, command]) => [name, fresh(command)]),
  )
}

/** Throws OperatorError when it is missing. */
export function textOf(input: Input, name: string): string {
  const value = input[name]
  if (typeof value !== 'string') throw new OperatorError(`'${name}' is missing.`)
  return value
}

export function optionalText(input: Input, name: string): string | undefined {
  return input[name] === undefined ? undefined : textOf(input, name)
}

/** Throws OperatorError for a Region that is not served. Undefined: none is named. */
export function regionIn(input: Input, served: readonly Region[]): Region | undefined {
  const text = optionalText(input, 'region')
  if (text === undefined) return undefined
  const region = parseRegion(text)
  if (region !== undefined && served.includes(region)) return region
  throw new OperatorError(`This deployment serves ${served.join(', ')}.`)
}
