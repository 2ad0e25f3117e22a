import { s3Error } from '../base/errors.ts'
import type { AccountId } from '../base/ids.ts'
import { type AnyOperation, operation, type Service } from '../services/operation.ts'
import type { BodyStream, SignedBody } from '../wire/protocol.ts'
import {
  bucketLabel,
  header,
  keyLabel,
  payload,
  prefixed,
  query,
  status,
} from '../wire/rest-xml/bindings.ts'
import { integer, list, required, stream, string, structure } from '../wire/schema.ts'

/** What a service of streams keeps in tests: nothing of the bytes but how many there were, unless they are few. */
export type Things = {
  readonly stored: Map<string, { readonly bytes: number; readonly head: Buffer }>
  readonly discarded: string[]
  /** Called for each piece that is received. */
  onPiece: (piece: Buffer) => void | Promise<void>
}

const headMax = 1024
const account = '111122223333' as AccountId
const labels = { Bucket: bucketLabel(), Key: keyLabel() }
const check = (permission: string, key: string) => ({
  permission,
  resource: { type: 'identity', arn: `arn:aws:s3:::${key}`, account } as const,
  conditions: {},
})
type Named = { readonly Bucket: string; readonly Key?: string }
const audit = {
  request: ({ Bucket, Key }: Named) => ({ bucketName: Bucket, key: Key }),
}

const putThing = operation({
  name: 'PutThing',
  input: structure({
    ...labels,
    Metadata: prefixed('x-amz-meta-'),
    Body: payload(required(stream())),
  }),
  output: structure({ ETag: header('ETag', string()), Size: header('x-size', integer()) }),
  effects: 'write',
  errors: ['IncompleteBody'],
  resolve: () => undefined,
  checks: (_call, { Key }) => [check('s3:PutObject', Key)],
  audit,
  async receive(_call, { Key, Body }, _target, things: Things) {
    let head = Buffer.alloc(0)
    let bytes = 0
    try {
      for await (const piece of Body) {
        if (head.length < headMax) head = Buffer.concat([head, piece]).subarray(0, headMax)
        bytes += piece.length
        await things.onPiece(piece)
      }
    } catch (error) {
      things.discarded.push(Key)
      throw error
    }
    return { Key, bytes, head, checksum: (Body as SignedBody).checksum }
  },
  discard: ({ Key }, things) => void things.discarded.push(Key),
  handle(_call, { Key }, _target, things, { bytes, head }) {
    things.stored.set(Key, { bytes, head })
    return { output: { ETag: '"thing"', Size: bytes } }
  },
})

const getThing = operation({
  name: 'GetThing',
  input: structure({ ...labels, Break: query('break', integer()) }),
  output: structure({ Body: payload(stream()), Status: status() }),
  effects: 'read',
  errors: ['NoSuchKey'],
  resolve(_call, { Key }, things: Things) {
    const thing = things.stored.get(Key)
    if (thing === undefined) throw s3Error('NoSuchKey', { Key })
    return thing
  },
  checks: (_call, { Key }) => [check('s3:GetObject', Key)],
  audit,
  handle: (_call, { Break }, { bytes, head }) => ({
    output: { Body: bytesOf(bytes, head, Break), Status: 200 },
  }),
})

/** The head, and then the letter x. Breaks off after so many pieces. */
function bytesOf(bytes: number, head: Buffer, breakAt: number | undefined): BodyStream {
  return {
    length: bytes,
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(head)
      for (let left = bytes - head.length, piece = 1; left > 0; piece++) {
        if (piece === breakAt) throw new Error('the disk is gone')
        const size = Math.min(left, 64 * 1024)
        left -= size
        yield Buffer.alloc(size, 'x')
      }
    },
  }
}

const deleteThings = operation({
  name: 'DeleteThings',
  input: structure({
    Bucket: bucketLabel(),
    Delete: payload(
      required(
        structure({
          Things: { ...list(structure({ Key: required(string()) })), element: 'Object' },
        }),
      ),
      { root: 'Delete' },
    ),
  }),
  output: structure({ Deleted: list(structure({ Key: string() })) }, { root: 'DeleteResult' }),
  effects: 'write',
  errors: ['MalformedXML'],
  resolve: () => undefined,
  checks: (_call, { Bucket }) => [check('s3:DeleteObject', Bucket)],
  audit,
  handle(_call, { Delete: { Things = [] } }, _target, things: Things) {
    for (const { Key } of Things) things.stored.delete(Key)
    return { output: { Deleted: Things } }
  },
})

/** In the place of S3. */
export function withThings(known: readonly Service[], things: Things): readonly Service[] {
  return [...known.filter(({ signingName }) => signingName !== 's3'), thingsService(things)]
}

/** A tiny service that speaks as S3 does. */
export function thingsService(things: Things): Service {
  const all: readonly AnyOperation[] = [putThing, getThing, deleteThings]
  return {
    signingName: 's3',
    eventSource: 's3.amazonaws.com',
    protocol: {
      name: 'rest-xml',
      namespace: 'http://s3.amazonaws.com/doc/2006-03-01/',
      routes: [
        { operation: 'PutThing', method: 'PUT', on: 'object' },
        { operation: 'GetThing', method: 'GET', on: 'object' },
        { operation: 'GetThing', method: 'HEAD', on: 'object' },
        { operation: 'DeleteThings', method: 'POST', on: 'bucket', query: ['delete'] },
      ],
    },
    operations: new Map(all.map((each) => [each.name, each])),
    deps: things,
  }
}
