import { foldKey } from '../../../authorize/conditions/folded-names.ts'
import type { ConditionValues } from '../../operation.ts'
import { invalidInput } from '../errors.ts'
import type { SimulationRequest } from './shapes.ts'

type Entry = NonNullable<SimulationRequest['ContextEntries']>[number]

const keyForm = /^[A-Za-z0-9-]{1,64}:./
const forms: Readonly<Record<string, RegExp>> = {
  boolean: /^(?:true|false)$/i,
  numeric: /^[+-]?\d{1,32}(?:\.\d{1,32})?$/,
  binary: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  ip: /^[0-9A-Fa-f.:]{2,45}(?:\/\d{1,3})?$/,
  date: /^(?:\d{1,16}|\d{4}-\d\d-\d\dT[\d:.]{4,20}(?:Z|[+-]\d\d:?\d\d))$/,
}

/** What the simulated requests say. Throws 'invalid-input' for values that are not of their type. */
export function contextOf(entries: readonly Entry[]): ConditionValues {
  const context: Record<string, string | readonly string[]> = {}
  const seen = new Set<string>()
  for (const entry of entries) {
    const { ContextKeyName: name = '', ContextKeyValues: values = [] } = entry
    if (!keyForm.test(name)) throw invalidInput(`Invalid context key name: ${name}`)
    if (seen.has(foldKey(name))) throw invalidInput(`Duplicate context key: ${name}`)
    seen.add(foldKey(name))
    const value = givenValue(entry, values)
    if (value !== undefined) context[name] = value
  }
  return context
}

/** Undefined without values: the key is then absent. */
function givenValue(
  { ContextKeyName: name, ContextKeyType: type = 'string' }: Entry,
  values: readonly string[],
): string | readonly string[] | undefined {
  const isList = type.endsWith('List')
  const form = forms[isList ? type.slice(0, -'List'.length) : type]
  for (const value of values) {
    if (form?.test(value) === false) {
      throw invalidInput(`Invalid context value for ${name}: ${value} is not of type ${type}`)
    }
  }
  if (isList) return values.length === 0 ? undefined : values
  if (values.length > 1)
    throw invalidInput(`Context key ${name} of type ${type} has several values`)
  return values[0]
}
