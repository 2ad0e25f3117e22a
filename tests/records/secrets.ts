import type { AnyOperation, Service } from '../../src/services/operation.ts'
import type { Schema, StructureSchema } from '../../src/wire/schema.ts'

/** A value that went through a sensitive member, and which. */
export type Secret = { readonly member: string; readonly bytes: Buffer }

/** Shorter ones stand anywhere by chance. */
const bytesMin = 16

/** What stands in the sensitive members of a request or of an answer, as the wire has it: blobs are base64. */
export function secretsIn(
  operation: AnyOperation | undefined,
  side: 'input' | 'output',
  value: unknown,
): readonly Secret[] {
  const schema = operation?.[side] as StructureSchema | undefined
  if (operation === undefined || schema === undefined) return []
  return [...found(schema, value, `${operation.name} ${side}`)]
}

/** The sensitive members of all operations of a service, as in `Encrypt input.Plaintext`. */
export function sensitiveMembers({ operations }: Service): readonly string[] {
  const members: string[] = []
  const walk = (schema: Schema, path: string) => {
    if ((schema.type === 'blob' || schema.type === 'string') && schema.sensitive === true) {
      members.push(path)
    }
    if (schema.type === 'list') walk(schema.member, path)
    if (schema.type !== 'structure') return
    for (const [name, member] of Object.entries(schema.members)) walk(member, `${path}.${name}`)
  }
  for (const { name, input, output } of operations.values()) {
    walk(input, `${name} input`)
    if (output !== undefined) walk(output, `${name} output`)
  }
  return members
}

function* found(schema: Schema, value: unknown, path: string): Generator<Secret> {
  if (value === undefined || value === null) return
  if (schema.type === 'list') {
    for (const each of value as readonly unknown[]) yield* found(schema.member, each, path)
  } else if (schema.type === 'structure') {
    const members = value as Readonly<Record<string, unknown>>
    for (const [name, member] of Object.entries(schema.members)) {
      yield* found(member, members[name], `${path}.${name}`)
    }
  } else if ((schema.type === 'blob' || schema.type === 'string') && schema.sensitive === true) {
    const bytes = Buffer.from(String(value), schema.type === 'blob' ? 'base64' : 'utf8')
    if (bytes.length >= bytesMin) yield { member: path, bytes }
  }
}
