/** Everything but unreserved characters, in UTF-8 (RFC 3986, section 2.3). Throws URIError for half surrogate pairs. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** The same, but slashes stay. */
export function percentEncodedPath(path: string): string {
  return percentEncoded(path).replaceAll('%2F', '/')
}
