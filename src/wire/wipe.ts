import type { StructureSchema } from './schema.ts'

/** Overwrites every sensitive blob of a decoded input or of an output that was encoded. */
export function wipeSensitive(schema: StructureSchema, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const members = sensitiveMembers(schema)
  for (const name of members) {
    const bytes = (value as Record<string, unknown>)[name]
    if (bytes instanceof Uint8Array) bytes.fill(0)
  }
}

const known = new WeakMap<StructureSchema, readonly string[]>()

function sensitiveMembers(schema: StructureSchema): readonly string[] {
  let members = known.get(schema)
  if (members === undefined) {
    members = Object.entries(schema.members)
      .filter(([, member]) => member.type === 'blob' && member.sensitive === true)
      .map(([name]) => name)
    known.set(schema, members)
  }
  return members
}
