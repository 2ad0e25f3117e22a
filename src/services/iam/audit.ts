import type { Schema, StructureSchema } from '../../wire/schema.ts'
import type { JsonObject } from '../operation.ts'

/**
 * Members of a request or an answer as CloudTrail shows them: named with a small first letter, dates as texts. Those
 * of `names` alone, so that a member that is added cannot be logged unawares.
 */
export function recorded<S extends StructureSchema>(
  { members }: S,
  value: Readonly<Record<string, unknown>>,
  ...names: readonly (keyof S['members'] & string)[]
): JsonObject {
  const result: Record<string, unknown> = {}
  for (const name of names) {
    const schema = members[name]
    const held = value[name]
    if (schema !== undefined && held !== undefined) result[small(name)] = viewOf(schema, held)
  }
  return result
}

function viewOf(schema: Schema, value: unknown): unknown {
  switch (schema.type) {
    case 'timestamp':
      return new Date(value as number).toISOString()
    case 'list':
      return (value as readonly unknown[]).map((element) => viewOf(schema.member, element))
    case 'structure': {
      const held = value as Readonly<Record<string, unknown>>
      return recorded(schema, held, ...Object.keys(schema.members))
    }
    default:
      return value
  }
}

function small(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
