import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type FakeObject = {
  size: number
  etag: string
  /** Answered to HEAD as they are. */
  headers: Record<string, string>
  tags?: Record<string, string>
  /** Under a customer's key. */
  customer?: boolean
}

type Asked = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
}
type Reply = {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string
}
type Upload = {
  readonly headers: Record<string, string>
  size: number
  tags: Record<string, string>
}

/** As much of S3 as `reencrypt` asks for, in memory, and with whatever failures a test wants. */
export class FakeS3 {
  readonly bucket = 'books'
  readonly objects = new Map<string, FakeObject>()
  readonly asked: Asked[] = []
  readonly uploads = new Map<string, Upload>()
  rule = '<SSEAlgorithm>AES256</SSEAlgorithm>'
  bucketKey = false
  aliasArn: string | undefined
  pageSize = 3
  olderVersions: number | undefined
  /** Of what the whole reply is to be. */
  fail: (asked: Asked) => Reply | undefined | Promise<Reply | undefined> = () => undefined
  #server: Server | undefined

  async start(): Promise<URL> {
    const server = createServer((message, response) => void this.#serve(message, response))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  put(key: string, encryption: Record<string, string>, more: Partial<FakeObject> = {}): void {
    const etag = `"${this.objects.size}-${key.length}"`
    this.objects.set(key, { size: 10, etag, headers: { ...encryption }, ...more })
  }

  count(method: string, query = ''): number {
    return this.asked.filter((each) => each.method === method && each.path.includes(query)).length
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const piece of message) body += piece
    const asked = {
      method: message.method ?? '',
      path: message.url ?? '',
      headers: message.headers,
    }
    this.asked.push(asked)
    const reply = (await this.fail(asked)) ?? this.#reply(asked, body)
    const withBody = asked.method !== 'HEAD' && reply.status !== 204
    response.writeHead(reply.status, reply.headers)
    response.end(withBody ? (reply.body ?? '') : undefined)
  }

  #reply(asked: Asked, body: string): Reply {
    // Not with URL, which takes dot segments away.
    const [path = '', text = ''] = asked.path.split('?')
    const [, , ...rest] = path.split('/')
    const key = decodeURIComponent(rest.join('/'))
    const query = new URLSearchParams(text)
    if (asked.headers['x-amz-target'] === 'TrentService.DescribeKey') {
      return this.aliasArn === undefined
        ? { status: 400, body: '{"__type":"NotFoundException","message":"no such alias"}' }
        : { status: 200, body: JSON.stringify({ KeyMetadata: { Arn: this.aliasArn } }) }
    }
    if (key === '' && query.has('encryption')) return ok(this.#ruleXml())
    if (key === '' && query.has('versions')) return this.#versions()
    if (key === '') return ok(this.#listXml(query))
    if (query.has('uploads') || query.has('uploadId')) return this.#upload(asked, key, query, body)
    if (asked.method === 'PUT') return this.#copy(asked, key)
    return this.#read(asked, key, query)
  }

  #ruleXml(): string {
    return `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>${this.rule}</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>${this.bucketKey}</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`
  }

  #listXml(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? ''
    const after = query.get('start-after') ?? ''
    const bytes = (text: string) => Buffer.from(text)
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix) && Buffer.compare(bytes(key), bytes(after)) > 0)
      .sort((one, other) => Buffer.compare(bytes(one), bytes(other)))
    const page = keys.slice(0, this.pageSize).map((key) => {
      const shown = encodeURIComponent(key).replaceAll('%20', '+')
      return `<Contents><Key>${shown}</Key><Size>${this.objects.get(key)?.size}</Size></Contents>`
    })
    return `<ListBucketResult><IsTruncated>${keys.length > this.pageSize}</IsTruncated>${page.join('')}</ListBucketResult>`
  }

  #versions(): Reply {
    if (this.olderVersions === undefined) return failure(403, 'AccessDenied', 'Access Denied')
    const older = '<Version><Key>k</Key><IsLatest>false</IsLatest></Version>'
    return ok(
      `<ListVersionsResult><IsTruncated>false</IsTruncated>${older.repeat(this.olderVersions)}<Version><IsLatest>true</IsLatest></Version></ListVersionsResult>`,
    )
  }

  #read(asked: Asked, key: string, query: URLSearchParams): Reply {
    const object = this.objects.get(key)
    if (object === undefined) return failure(404, 'NoSuchKey', 'gone')
    if (query.has('tagging')) {
      const tags = Object.entries(object.tags ?? {}).map(
        ([name, value]) => `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`,
      )
      return ok(`<Tagging><TagSet>${tags.join('')}</TagSet></Tagging>`)
    }
    if (object.customer === true) {
      return failure(
        400,
        'InvalidRequest',
        'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
      )
    }
    const headers = { ...object.headers, etag: object.etag, 'content-length': String(object.size) }
    if (asked.method === 'HEAD') return { status: 200, headers }
    return { status: 206, body: 'x' }
  }

  #copy(asked: Asked, key: string): Reply {
    const object = this.objects.get(key)
    const { 'x-amz-copy-source-if-match': source, 'if-match': target } = asked.headers
    if (object === undefined) return failure(404, 'NoSuchKey', 'gone')
    if (source !== object.etag || target !== object.etag) {
      return failure(412, 'PreconditionFailed', 'changed')
    }
    object.headers = { ...kept(object.headers), ...encryptionOf(asked.headers) }
    object.etag = `"copy-of-${object.etag.replaceAll('"', '')}"`
    return ok('<CopyObjectResult><ETag>x</ETag></CopyObjectResult>')
  }

  #upload(asked: Asked, key: string, query: URLSearchParams, body: string): Reply {
    const object = this.objects.get(key)
    if (object === undefined) return failure(404, 'NoSuchKey', 'gone')
    if (query.has('uploads')) {
      const id = `upload-${this.uploads.size}`
      const described = Object.entries(asked.headers).filter((pair): pair is [string, string] =>
        /^(?:x-amz-meta-|content-type)/.test(pair[0]),
      )
      const tags = Object.fromEntries(
        new URLSearchParams(String(asked.headers['x-amz-tagging'] ?? '')),
      )
      const headers = { ...Object.fromEntries(described), ...encryptionOf(asked.headers) }
      this.uploads.set(id, { headers, size: 0, tags })
      return ok(`<X><UploadId>${id}</UploadId></X>`)
    }
    const id = query.get('uploadId') ?? ''
    const upload = this.uploads.get(id)
    if (upload === undefined) return failure(404, 'NoSuchUpload', 'no upload')
    if (asked.method === 'DELETE') {
      this.uploads.delete(id)
      return { status: 204 }
    }
    if (asked.method === 'PUT') {
      if (asked.headers['x-amz-copy-source-if-match'] !== object.etag) {
        return failure(412, 'PreconditionFailed', 'changed')
      }
      const [, first, last] =
        /^bytes=(\d+)-(\d+)$/.exec(String(asked.headers['x-amz-copy-source-range'])) ?? []
      upload.size += Number(last) - Number(first) + 1
      return ok(
        '<CopyPartResult><ETag>&quot;p&quot;</ETag><ChecksumCRC32>abc=</ChecksumCRC32></CopyPartResult>',
      )
    }
    if (asked.headers['if-match'] !== object.etag)
      return failure(412, 'PreconditionFailed', 'changed')
    const parts = body.match(/<Part>/g)?.length ?? 0
    this.uploads.delete(id)
    const { headers, size, tags } = upload
    this.objects.set(key, { size, headers, tags, etag: `"whole-${parts}"` })
    return ok('<CompleteMultipartUploadResult/>')
  }
}

function ok(body: string): Reply {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body }
}

export function failure(status: number, code: string, message: string): Reply {
  return { status, body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>` }
}

function encryptionOf(headers: IncomingMessage['headers']): Record<string, string> {
  const name = 'x-amz-server-side-encryption'
  return Object.fromEntries(
    Object.entries(headers).filter(
      (pair): pair is [string, string] => pair[0].startsWith(name) && pair[1] !== undefined,
    ),
  )
}

function kept(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-server-side-encryption')),
  )
}
