import type { AccountId, Region } from '../src/base/ids.ts'
import type { AnyOperation, CallContext, Check } from '../src/services/operation.ts'
import type { BucketRecord } from '../src/services/s3/bucket.ts'
import { bucketsOperations, bucketsRoutes } from '../src/services/s3/operations/buckets/table.ts'
import { listingsOperations, listingsRoutes } from '../src/services/s3/operations/listings/table.ts'
import { objectsOperations, objectsRoutes } from '../src/services/s3/operations/objects/table.ts'
import { settingsOperations, settingsRoutes } from '../src/services/s3/operations/settings/table.ts'
import { uploadsOperations, uploadsRoutes } from '../src/services/s3/operations/uploads/table.ts'
import type { Route } from '../src/wire/rest-xml/routes.ts'
import type { Binding, Member, Members, Schema } from '../src/wire/schema.ts'
import { boundsOf, typeOf } from './reference-schema.ts'

export const s3Operations: ReadonlyMap<string, AnyOperation> = new Map(
  [
    ...[...bucketsOperations, ...settingsOperations, ...objectsOperations],
    ...[...uploadsOperations, ...listingsOperations],
  ].map((operation) => [operation.name, operation]),
)

const routes: readonly Route[] = [
  ...[...bucketsRoutes, ...settingsRoutes, ...objectsRoutes],
  ...[...uploadsRoutes, ...listingsRoutes],
]

/** How a request names the operation: method, path, query and headers, in path style. */
export function requestLineOf(name: string): string {
  const paths = { service: '/', bucket: '/{Bucket}', object: '/{Bucket}/{Key}' } as const
  const lines = routes
    .filter(({ operation }) => operation === name)
    .map(({ method, on, query = [], headers = [] }) => {
      const behind = query.length === 0 ? '' : `?${query.join('&')}`
      const needed = headers.length === 0 ? '' : `, with the header \`${headers.join('`, `')}\``
      return `\`${method} ${paths[on]}${behind}\`${needed}`
    })
  return `${lines.join('; ')}.`
}

/** Rows of a table of members; the middle column says where each is in the request or answer. */
export function restMembersOf(members: Members): string {
  if (Object.keys(members).length === 0) return ' no members.'
  const rows = rowsOf(members, '')
  return `\n\n| member | where | type | bounds |\n| --- | --- | --- | --- |\n${rows.join('\n')}`
}

function rowsOf(members: Members, prefix: string): string[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const path = `${prefix}${name}`
    const mark = member.required === true ? ' (required)' : ''
    const where = placeOf(name, member)
    const row = `| \`${path}\`${mark} | ${where} | ${typeOf(member)} | ${restBoundsOf(member)} |`
    return [row, ...nestedRows(member, path)]
  })
}

function nestedRows(schema: Schema, path: string): string[] {
  if (schema.type === 'structure') return rowsOf(schema.members, `${path}.`)
  return schema.type === 'list' ? nestedRows(schema.member, `${path}[]`) : []
}

function restBoundsOf(member: Member): string {
  const { http } = member
  if (http?.in !== 'payload' || http.bytesMax === undefined) return boundsOf(member)
  return `${http.bytesMax} bytes`
}

function placeOf(name: string, member: Member): string {
  const { http } = member
  if (http !== undefined) return boundPlaceOf(http, member)
  const element = `\`<${member.element ?? name}>\``
  const each = member.type === 'list' && member.each !== undefined ? member.each : undefined
  return each === undefined ? element : `${element} of \`<${each}>\``
}

function boundPlaceOf(http: Binding, { type }: Schema): string {
  switch (http.in) {
    case 'label':
      return http.name === 'Bucket' ? 'path, or host' : 'path'
    case 'status':
      return 'status'
    case 'payload':
      return type === 'structure' ? `body, \`<${http.root}>\`` : 'body'
    case 'prefix':
      return `headers \`${http.name}…\``
    case 'query':
      return `query \`${http.name}\``
    case 'header':
      return `header \`${http.name}\``
  }
}

const account = '111122223333' as AccountId
const region = 'us-east-1' as Region
const bucket: BucketRecord = { name: 'bucket', account, region, createdAt: 0, storeId: 'store' }
const otherBucket: BucketRecord = { ...bucket, name: 'source' }
const call: CallContext = {
  caller: { type: 'root', account, arn: '', principalId: account, accessKeyId: '' },
  region,
  now: 0,
  requestId: '',
  globalConditions: {},
}
/** Nothing that decides which permissions a call needs looks further than these. */
const deps = {
  buckets: { get: (name: string) => (name === otherBucket.name ? otherBucket : bucket) },
  regions: [region],
}

/** The least that requests have in common; an operation takes of it what it knows. */
const least = {
  Bucket: 'bucket',
  Key: 'key',
  UploadId: 'upload',
  PartNumber: '1',
  CopySource: 'source/key',
  ContentMD5: 'md5',
  ObjectAttributes: ['ETag'],
  ACL: 'private',
  Body: { length: 0 },
  Delete: { Objects: [{ Key: 'key' }] },
  Tagging: { TagSet: [] },
}
/** What a request may say besides that asks for other permissions. */
const variations = [
  { said: '`VersionId`', input: { VersionId: 'v' } },
  { said: 'a version in `CopySource`', input: { CopySource: 'source/key?versionId=v' } },
  {
    said: '`VersionId` of an object',
    input: { Delete: { Objects: [{ Key: 'key', VersionId: 'v' }] } },
  },
  { said: '`ETag` of an object', input: { Delete: { Objects: [{ Key: 'key', ETag: 'e' }] } } },
  { said: '`Tagging`', input: { Tagging: 'a=b', TaggingDirective: 'REPLACE' } },
  { said: '`IfMatch`', input: { IfMatch: 'e' } },
  { said: '`ObjectOwnership`', input: { ObjectOwnership: 'BucketOwnerEnforced' } },
  {
    said: '`CreateBucketConfiguration.Tags`',
    input: { CreateBucketConfiguration: { Tags: [{ Key: 'a', Value: 'b' }] } },
  },
] as const

/** The permissions of S3 that a call is decided on, found by asking the operation itself. */
export function permissionsOf(operation: AnyOperation): string {
  const plain = checksOf(operation, {})
  const more = variations.flatMap(({ said, input }) => {
    const { members } = operation.input
    if (!Object.keys(input).every((name) => name in members || name === 'TaggingDirective'))
      return []
    if ('Tagging' in input && members['Tagging']?.http?.in !== 'header') return []
    const asked = checksOf(operation, input)
    const added = asked.filter((each) => !plain.includes(each))
    return added.length === 0 ? [] : [`with ${said} ${isInstead(plain, asked)}${added.join(', ')}`]
  })
  return `Permissions: ${[plain.join(', '), ...more].join('; ')}.`
}

function isInstead(plain: readonly string[], asked: readonly string[]): string {
  return plain.every((each) => asked.includes(each)) ? 'also ' : ''
}

function checksOf(operation: AnyOperation, said: object): readonly string[] {
  const known = Object.entries({ ...least, ...said }).filter(([name]) => {
    const member = operation.input.members[name]
    // Of a setting the tags are XML, of an object's request they are a header.
    return member !== undefined && !(name === 'Tagging' && isOtherTagging(member, said))
  })
  const input = Object.fromEntries(known)
  const target = operation.resolve(call, input, deps)
  const found: string[] = []
  for (const check of operation.checks(call, input, target, deps) as Iterable<Check>) {
    const text = `${check.permission} on ${subjectOf(check.resource.arn)}`
    if (!found.includes(text)) found.push(text)
  }
  return found
}

function isOtherTagging({ http }: Member, said: object): boolean {
  return (http?.in === 'header') !== 'Tagging' in said
}

function subjectOf(arn: string): string {
  const path = arn.slice('arn:aws:s3:::'.length)
  if (path === '*') return '`*`'
  if (path.startsWith('source/')) return 'the source'
  return path.includes('/') ? 'the object' : 'the bucket'
}
