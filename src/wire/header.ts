import type { HttpRequest } from './protocol.ts'

/** The value of the header `name` (in lower case); undefined when it is absent or comes more than once. */
export function soleHeader(request: HttpRequest, name: string): string | undefined {
  const { rawHeaders } = request
  let found: string | undefined
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index] as string
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue
    if (found !== undefined) return undefined
    found = rawHeaders[index + 1]
  }
  return found
}

/** Whether the Content-Type is `mediaType` (in lower case), with parameters such as a charset or without. */
export function hasMediaType(request: HttpRequest, mediaType: string): boolean {
  const value = soleHeader(request, 'content-type')
  if (value === undefined || value === mediaType) return value !== undefined
  const semicolon = value.indexOf(';')
  const essence = semicolon < 0 ? value : value.slice(0, semicolon)
  return essence.trim().toLowerCase() === mediaType
}
