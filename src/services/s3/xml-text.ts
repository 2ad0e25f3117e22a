import { header, payload } from '../../wire/rest-xml/bindings.ts'
import { string, structure } from '../../wire/schema.ts'

/** Of an answer whose XML has what schemas do not: text in its root, or attributes. */
export const xmlText = structure({
  ContentType: header('Content-Type', string()),
  Body: payload(string()),
})

const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** The document of that root. What stands in `content` has been escaped. */
export function xmlDocument(root: string, content: string) {
  const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/'
  const Body = `${prolog}<${root} xmlns="${xmlns}">${content}</${root}>`
  return { ContentType: 'application/xml', Body }
}
