import type { HttpRequest } from '../wire/protocol.ts'

/** The first header of that name (lower case), whatever its spelling on the wire. */
export function headerOf(
  request: Pick<HttpRequest, 'rawHeaders'>,
  name: string,
): string | undefined {
  const { rawHeaders } = request
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index]
    if (candidate?.length === name.length && candidate.toLowerCase() === name) {
      return rawHeaders[index + 1]
    }
  }
  return undefined
}

const mappedIpv4 = '::ffff:'

/** The peer's address; an IPv4 address in IPv6 form is shown as IPv4. */
export function sourceIp(request: HttpRequest): string {
  const address = request.remoteAddress
  return address.startsWith(mappedIpv4) ? address.slice(mappedIpv4.length) : address
}
