import { type Element, parseXml } from '../../src/wire/rest-xml/xml.ts'
import type { AwsCommand } from './aws-options.ts'

/** `path` and `query` as they mean, not encoded. */
export type Asked = {
  readonly service: string
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Of a failure `error` and `message`. */
export type Answer = {
  readonly output?: unknown
  readonly error?: string | undefined
  readonly message?: string | undefined
}

export type Received = { readonly status: number; readonly body: Buffer }

/** `create-key` as `CreateKey`. */
export function pascal(operation: string): string {
  return operation.replace(/(^|-)(\w)/g, (_, _dash, letter: string) => letter.toUpperCase())
}

/** AWS JSON 1.1. */
export function jsonCall({ service, operation, input }: AwsCommand, target: string) {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `${target}.${pascal(operation)}`,
  }
  const body = Buffer.from(JSON.stringify(input))
  const asked: Asked = { service, method: 'POST', path: '/', headers, body }
  const read = ({ status, body }: Received): Answer => {
    const text = body.toString('utf8')
    const output = text === '' ? undefined : (JSON.parse(text) as Readonly<Record<string, unknown>>)
    if (status === 200) return { output }
    const message = output?.['message'] ?? output?.['Message'] ?? ''
    return { error: String(output?.['__type']), message: String(message) }
  }
  return { asked, read }
}

/** AWS Query. */
export function queryCall({ service, operation, input }: AwsCommand, version: string) {
  const action = pascal(operation)
  const fields = Object.entries(input).map(([name, value]): [string, string] => [
    name,
    String(value),
  ])
  const form = new URLSearchParams([['Action', action], ['Version', version], ...fields])
  const asked: Asked = {
    ...{ service, method: 'POST', path: '/', body: Buffer.from(form.toString()) },
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  }
  const read = ({ status, body }: Received): Answer => {
    const document = parseXml(body)
    if (status !== 200) return errorIn(document.children.find(({ name }) => name === 'Error'))
    const result = document.children.find(({ name }) => name === `${action}Result`)
    return { output: result === undefined ? undefined : plain(result) }
  }
  return { asked, read }
}

/** What the element of an error says. */
export function errorIn(element: Element | undefined): Answer {
  const said = (of: string) => element?.children.find(({ name }) => name === of)?.text
  return { error: said('Code') ?? 'unknown', message: said('Message') ?? '' }
}

/** Structures of texts: what the tour asks for has no lists. */
export function plain(element: Element): unknown {
  if (element.children.length === 0) return element.text
  return Object.fromEntries(element.children.map((child) => [child.name, plain(child)]))
}
