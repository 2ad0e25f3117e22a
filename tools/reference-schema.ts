import type { Schema } from '../src/wire/schema.ts'

/** What the reference says of the value of a member, whatever protocol brings it. */
export function typeOf(schema: Schema): string {
  switch (schema.type) {
    case 'list':
      return `list of ${typeOf(schema.member)}`
    case 'map':
      return 'map of strings'
    case 'blob':
      return schema.sensitive === true ? 'blob, secret' : 'blob'
    case 'string':
      return schema.values === undefined ? 'string' : 'enumeration'
    default:
      return schema.type
  }
}

export function boundsOf(schema: Schema): string {
  const bounds: string[] = []
  if ('min' in schema || 'max' in schema) bounds.push(rangeOf(schema.min, schema.max))
  if (schema.type === 'string') {
    if (schema.values !== undefined) bounds.push(schema.values.join(', '))
    if (schema.pattern !== undefined) bounds.push(`\`${schema.pattern.replaceAll('|', '\\|')}\``)
  }
  if (schema.type === 'list') {
    const each = boundsOf(schema.member)
    if (each !== '') bounds.push(`each ${each}`)
  }
  return bounds.join('; ')
}

function rangeOf(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && min === max) return String(min)
  return `${min ?? 0} to ${max ?? '∞'}`
}
