import type { S3Resource } from './resource.ts'

/** How a request names an operation of S3. */
export type Route = {
  readonly operation: string
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly on: 'service' | 'bucket' | 'object'
  /** Parameters that it must have, as in `uploads` or, with their value, `list-type=2`. */
  readonly query?: readonly string[]
  /** Subresources that it may have besides. */
  readonly may?: readonly string[]
  /** Headers that it must have, in lower case. */
  readonly headers?: readonly string[]
}

/**
 * Parameters that make a request one of another operation. A request is never taken for an operation that does not name
 * them: `PUT /bucket/key?acl` must not replace the object.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
const subresources: ReadonlySet<string> = new Set([
  ...['accelerate', 'acl', 'analytics', 'append', 'attributes', 'cors', 'delete', 'encryption'],
  ...['intelligent-tiering', 'inventory', 'legal-hold', 'lifecycle', 'list-type', 'location'],
  ...['logging', 'metadataConfiguration', 'metadataTable', 'metrics', 'notification'],
  ...['object-lock', 'ownershipControls', 'partNumber', 'policy', 'policyStatus'],
  ...['publicAccessBlock', 'renameObject', 'replication', 'requestPayment', 'restore'],
  ...['retention', 'select', 'session', 'tagging', 'torrent', 'uploadId', 'uploads'],
  ...['versioning', 'versions', 'website'],
])

export class Routes {
  readonly #routes = new Map<string, Route[]>()
  readonly #subresources: ReadonlySet<string>

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const place = `${route.method} ${route.on}`
      this.#routes.set(place, [...(this.#routes.get(place) ?? []), route])
    }
    const named = routes.flatMap(({ query = [] }) => query.map(nameOf))
    this.#subresources = new Set([...subresources, ...named])
  }

  /** The operation that has the most of its conditions met. `isServed`: whether the method has any meaning there. */
  find(
    method: string,
    resource: S3Resource,
    hasHeader: (name: string) => boolean,
  ): { readonly operation: string | undefined; readonly isServed: boolean } {
    const { bucket, key, query } = resource
    const on = key !== undefined ? 'object' : bucket !== undefined ? 'bucket' : 'service'
    const routes = this.#routes.get(`${method} ${on}`) ?? []
    const asked = [...query.keys()].filter((name) => this.#subresources.has(name))
    let best: Route | undefined
    for (const route of routes) {
      const needed = route.query ?? []
      const allowed = [...needed.map(nameOf), ...(route.may ?? [])]
      const fits =
        needed.every((each) => isMet(each, query)) &&
        asked.every((name) => allowed.includes(name)) &&
        (route.headers ?? []).every(hasHeader)
      if (fits && (best === undefined || weight(route) > weight(best))) best = route
    }
    return { operation: best?.operation, isServed: routes.length > 0 }
  }

  /** Parameters by which routes are told apart. */
  get names(): ReadonlySet<string> {
    return this.#subresources
  }
}

function isMet(condition: string, query: ReadonlyMap<string, string>): boolean {
  const name = nameOf(condition)
  if (name === condition) return query.has(name)
  return query.get(name) === condition.slice(name.length + 1)
}

function nameOf(condition: string): string {
  return condition.split('=', 1)[0] ?? condition
}

function weight({ query = [], headers = [] }: Route): number {
  return query.length + headers.length
}
