import { internalError } from '../../base/errors.ts'
import type { Schema, StructureSchema } from '../schema.ts'
import { base64Length, encodeBase64 } from './base64.ts'

/**
 * Writes an output as JSON in ASCII, whose other characters are escaped, so that it can be sent as Latin-1. Members
 * that are undefined are left out; so are members that the schema does not name.
 *
 * A string, unless the output holds a sensitive blob: then it is a Buffer, the blob goes into it from bytes to bytes,
 * and whoever sends it overwrites it afterwards.
 */
export function writeJson(schema: StructureSchema, output: unknown): string | Buffer {
  const sink = new Sink()
  writeStructure(sink, schema.members, output)
  return sink.finish()
}

/** A JSON string in ASCII, with its quotation marks. */
export function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text).replace(beyondAscii, escapeUnit)
}

const plain = /^[ !#-[\]-~]*$/
const beyondAscii = /[^ -~]/g

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** What was written so far: text, and between pieces of text the secrets that must not become text. */
class Sink {
  text = ''
  #length = 0
  readonly #pieces: (string | Uint8Array)[] = []

  secret(bytes: Uint8Array): void {
    this.#pieces.push(this.text, bytes)
    this.#length += this.text.length + base64Length(bytes.length)
    this.text = ''
  }

  finish(): string | Buffer {
    if (this.#pieces.length === 0) return this.text
    const whole = Buffer.allocUnsafe(this.#length + this.text.length)
    let at = 0
    for (const piece of this.#pieces) {
      at =
        typeof piece === 'string'
          ? at + whole.write(piece, at, 'latin1')
          : encodeBase64(piece, whole, at)
    }
    whole.write(this.text, at, 'latin1')
    return whole
  }
}

type Member = { readonly name: string; readonly prefix: string; readonly schema: Schema }

const plans = new WeakMap<object, readonly Member[]>()

function planOf(members: StructureSchema['members']): readonly Member[] {
  const known = plans.get(members)
  if (known !== undefined) return known
  const plan = Object.entries(members).map(([name, schema]) => ({
    name,
    prefix: `${quote(name)}:`,
    schema,
  }))
  plans.set(members, plan)
  return plan
}

function writeStructure(sink: Sink, members: StructureSchema['members'], output: unknown): void {
  const structure = output as Readonly<Record<string, unknown>>
  let separator = '{'
  for (const { name, prefix, schema } of planOf(members)) {
    const value = structure[name]
    if (value === undefined) continue
    sink.text += separator + prefix
    writeValue(sink, schema, value)
    separator = ','
  }
  sink.text += separator === '{' ? '{}' : '}'
}

function writeValue(sink: Sink, schema: Schema, value: unknown): void {
  switch (schema.type) {
    case 'string':
      sink.text += quote(value as string)
      return
    case 'blob':
      writeBlob(sink, schema.sensitive === true, value as Buffer)
      return
    case 'integer':
      sink.text += numberText(value as number)
      return
    case 'timestamp':
      sink.text += numberText((value as number) / 1000)
      return
    case 'boolean':
      sink.text += value === true ? 'true' : 'false'
      return
    case 'list':
      writeList(sink, schema.member, value as readonly unknown[])
      return
    case 'map':
      writeMap(sink, value as Readonly<Record<string, string>>)
      return
    case 'structure':
      writeStructure(sink, schema.members, value)
      return
  }
}

function writeBlob(sink: Sink, sensitive: boolean, bytes: Buffer): void {
  sink.text += '"'
  if (sensitive) sink.secret(bytes)
  else sink.text += bytes.toString('base64')
  sink.text += '"'
}

function writeList(sink: Sink, member: Schema, elements: readonly unknown[]): void {
  sink.text += '['
  for (const [index, element] of elements.entries()) {
    if (index > 0) sink.text += ','
    writeValue(sink, member, element)
  }
  sink.text += ']'
}

function writeMap(sink: Sink, entries: Readonly<Record<string, string>>): void {
  const written = Object.entries(entries).map(([key, value]) => `${quote(key)}:${quote(value)}`)
  sink.text += `{${written.join(',')}}`
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw internalError('an output holds a number that JSON cannot')
  return String(value)
}
