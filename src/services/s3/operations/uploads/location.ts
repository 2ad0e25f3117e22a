import type { CallContext } from '../../../operation.ts'

/** The URL of an object, by the name that the client called this endpoint. */
export function locationOf(
  { globalConditions }: CallContext,
  host: string | undefined,
  bucket: string,
  key: string,
): string {
  const path = encodeURIComponent(key)
  if (host === undefined) return `/${bucket}/${path}`
  const scheme = globalConditions['aws:SecureTransport'] === 'true' ? 'https' : 'http'
  const isHosted = host.toLowerCase().startsWith(`${bucket}.`)
  return `${scheme}://${host}/${isHosted ? '' : `${bucket}/`}${path}`
}
