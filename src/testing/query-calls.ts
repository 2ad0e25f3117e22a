import assert from 'node:assert/strict'
import type { Answer, House, Sending } from './house.ts'

/** An element of an answer: its text, its list of members, or its parts by name. */
export type Element = string | readonly Element[] | { readonly [name: string]: Element }

export type QueryAnswer = Answer & {
  /** The code of a failure, as in `NoSuchEntity`, and what it says. */
  readonly code: string | undefined
  readonly text: string | undefined
  /** What stands in `…Result`; an empty object where there is none. */
  readonly result: Readonly<Record<string, Element>>
}

/** Parameters of AWS Query: lists as `Name.member.N`, structures by their members. */
export type Parameters = { readonly [name: string]: unknown }

const versions = { iam: '2010-05-08', sts: '2011-06-15' } as const

/** A signed call of IAM or STS, in the protocol that they speak. */
export async function query(
  house: House,
  service: keyof typeof versions,
  Action: string,
  parameters: Parameters = {},
  sending: Sending = {},
): Promise<QueryAnswer> {
  const form = new URLSearchParams({ Action, Version: versions[service] })
  write(form, '', parameters)
  const answer = await house.call(
    Action,
    {},
    {
      service,
      headers: [['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8']],
      body: Buffer.from(form.toString()),
      ...sending,
    },
  )
  const document = readXml(answer.reply.body.toString('utf8'))
  const error = part(part(document, 'ErrorResponse'), 'Error')
  const result = part(part(document, `${Action}Response`), `${Action}Result`)
  return {
    ...answer,
    code: textOf(part(error, 'Code')),
    text: textOf(part(error, 'Message')),
    result: (typeof result === 'object' ? result : {}) as QueryAnswer['result'],
  }
}

/** The result of a call of IAM that has to succeed. */
export async function iam(
  house: House,
  action: string,
  parameters?: Parameters,
  sending?: Sending,
): Promise<QueryAnswer['result']> {
  const { status, result, reply } = await query(house, 'iam', action, parameters, sending)
  assert.equal(status, 200, `${action}: ${reply.body}`)
  return result
}

/** Code and text of a call of IAM that has to fail. */
export async function refused(
  house: House,
  action: string,
  parameters?: Parameters,
  sending?: Sending,
): Promise<string> {
  const { status, code, text } = await query(house, 'iam', action, parameters, sending)
  assert.notEqual(status, 200, `${action} was not refused`)
  return `${status} ${code}: ${text}`
}

function write(form: URLSearchParams, prefix: string, value: unknown): void {
  if (value === undefined) return
  if (Array.isArray(value)) {
    for (const [at, each] of value.entries()) write(form, `${prefix}.member.${at + 1}`, each)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, each] of Object.entries(value)) {
      write(form, prefix === '' ? name : `${prefix}.${name}`, each)
    }
  } else form.set(prefix, String(value))
}

function part(element: Element | undefined, name: string): Element | undefined {
  if (typeof element !== 'object' || Array.isArray(element)) return undefined
  return (element as Readonly<Record<string, Element>>)[name]
}

function textOf(element: Element | undefined): string | undefined {
  return typeof element === 'string' ? element : undefined
}

const piece = /<(\/?)([\w.]+)[^>]*>|([^<]+)/g
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

/** As much of XML as our own answers use. */
function readXml(text: string): Element {
  type Open = { readonly name: string; text: string; readonly parts: [string, Element][] }
  const root: Open = { name: '', text: '', parts: [] }
  const open = [root]
  for (const [, slash, name = '', characters = ''] of text.matchAll(piece)) {
    const top = open.at(-1) ?? root
    if (name === '') top.text += unescaped(characters)
    else if (slash === '') open.push({ name, text: '', parts: [] })
    else {
      open.pop()
      assert.equal(name, top.name)
      ;(open.at(-1) ?? root).parts.push([name, elementOf(top)])
    }
  }
  assert.equal(open.length, 1)
  return elementOf(root)
}

function elementOf({ text, parts }: { text: string; parts: [string, Element][] }): Element {
  if (parts.length === 0) return text
  if (parts.every(([name]) => name === 'member')) return parts.map(([, element]) => element)
  if (parts.every(([name]) => name === 'entry')) {
    return Object.fromEntries(
      parts.map(([, entry]) => [textOf(part(entry, 'key')), part(entry, 'value')]),
    ) as Element
  }
  return Object.fromEntries(parts)
}

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9A-F]+)|(\w+));/g, (_all, code, name) =>
    code === undefined ? (entities[name] ?? '') : String.fromCodePoint(Number.parseInt(code, 16)),
  )
}
