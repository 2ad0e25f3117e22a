import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorCode } from '../src/base/errors.ts'
import { cloudTrailOperations } from '../src/services/cloudtrail/operations/table.ts'
import { configOperations } from '../src/services/config/operations/table.ts'
import { iamOperations } from '../src/services/iam/operations/table.ts'
import { keyStates } from '../src/services/kms/key.ts'
import { stateTable } from '../src/services/kms/key-state.ts'
import { kmsOperations } from '../src/services/kms/operations/table.ts'
import type { AnyOperation } from '../src/services/operation.ts'
import { stsOperations } from '../src/services/sts/service.ts'
import { wireName } from '../src/wire/errors.ts'
import type { Members, Schema } from '../src/wire/schema.ts'
import { permissionsOf, requestLineOf, restMembersOf, s3Operations } from './reference-s3.ts'
import { boundsOf, typeOf } from './reference-schema.ts'

/**
 * Writes `docs/reference/`: a page for each service, made of the very values by which requests are decoded and
 * answered, so that it cannot say anything else than what the service does. `tests/reference.test.ts` fails when the
 * pages in the repository are not these.
 */
type ServicePage = {
  readonly file: string
  readonly title: string
  readonly introduction: string
  readonly protocol: 'json' | 'query' | 'rest-xml'
  readonly signingName: string
  readonly operations: ReadonlyMap<string, AnyOperation>
}

const services: readonly ServicePage[] = [
  {
    file: 'kms.md',
    title: 'AWS Key Management Service',
    introduction:
      'AWS JSON 1.1, target prefix `TrentService`, API version 2014-11-01. The permission that an operation needs is `kms:` and its name, on the key; ReEncrypt needs kms:ReEncryptFrom on the one key and kms:ReEncryptTo on the other; CreateKey and ReplicateKey with tags need kms:TagResource as well; operations on aliases need their permission on the alias and on the key; RetireGrant is decided by the grant itself.',
    protocol: 'json',
    signingName: 'kms',
    operations: kmsOperations,
  },
  {
    file: 'sts.md',
    title: 'AWS Security Token Service',
    introduction: 'AWS Query, API version 2011-06-15.',
    protocol: 'query',
    signingName: 'sts',
    operations: stsOperations,
  },
  {
    file: 'iam.md',
    title: 'AWS Identity and Access Management',
    introduction:
      'AWS Query, API version 2010-05-08. The permission that an operation needs is `iam:` and its name, on the user, group, role, policy or provider that it is about, and on `*` for lists and for what concerns the account; what is made with tags needs the permission to tag it as well, and a user or a group with a new name or path needs iam:UpdateUser or iam:UpdateGroup under both.',
    protocol: 'query',
    signingName: 'iam',
    operations: iamOperations,
  },
  {
    file: 'cloudtrail.md',
    title: 'AWS CloudTrail',
    introduction:
      'AWS JSON 1.1, target prefix `CloudTrail_20131101`, API version 2013-11-01. The permission that an operation needs is `cloudtrail:` and its name, on the trail, and on `*` for DescribeTrails, ListPublicKeys, ListTrails and LookupEvents; CreateTrail with tags needs cloudtrail:AddTags as well.',
    protocol: 'json',
    signingName: 'cloudtrail',
    operations: cloudTrailOperations,
  },
  {
    file: 'config.md',
    title: 'AWS Config',
    introduction:
      'AWS JSON 1.1, target prefix `StarlingDoveService`, API version 2014-11-12. The permission that an operation needs is `config:` and its name, on the rule that it is about, and on `*` otherwise. What is recorded, and which rules there are: [configurations](../operate/configuration.md).',
    protocol: 'json',
    signingName: 'config',
    operations: configOperations,
  },
  {
    file: 's3.md',
    title: 'Amazon S3',
    introduction:
      'REST XML, API version 2006-03-01. Requests are shown in path style; with the bucket in the name of the host the path is that of the object alone. Beside the permissions that an operation lists, what encrypts and decrypts objects under a key of KMS needs permissions on that key, what tells that an object does not exist needs s3:ListBucket, and CopyObject needs s3:GetObjectTagging on the source and s3:PutObjectTagging on the copy where the source has tags that it copies: [who needs which permission](../operate/s3.md#who-needs-which-permission). A list whose elements have no element around them stands where its name does, once for each. Each answer has `x-amz-request-id` and `x-amz-id-2`.',
    protocol: 'rest-xml',
    signingName: 's3',
    operations: s3Operations,
  },
]

/** Each page by its file name. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map(services.map((service) => [service.file, pageOf(service)]))
}

function pageOf(service: ServicePage): string {
  const operations = [...service.operations.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const contents = operations.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(' · ')
  return `${[
    `# ${service.title}`,
    'Made from the operation tables by `node tools/reference.ts`; not to be edited by hand. Where answers differ from those of AWS: [divergences](../divergences.md).',
    service.introduction,
    `${operations.length} operations: ${contents}`,
    ...operations.flatMap((operation) => sectionOf(operation, service)),
  ].join('\n\n')}\n`
}

const effects = {
  read: 'Reads.',
  use: 'Uses a key, changes no state.',
  write: 'Changes state.',
} as const

function sectionOf(operation: AnyOperation, service: ServicePage): string[] {
  const { name, input, output } = operation
  const states = service.signingName === 'kms' ? statesOf(name) : undefined
  const isRest = service.protocol === 'rest-xml'
  const shown = isRest ? restMembersOf : membersOf
  return [
    `## ${name}`,
    `${effects[operation.effects as keyof typeof effects]}${states === undefined ? '' : ` ${states}`}`,
    ...(isRest ? [requestLineOf(name), permissionsOf(operation)] : []),
    ...(operation.unsigned === true ? ['Not signed: a web identity calls it.'] : []),
    `Request:${shown(input.members)}`,
    output === undefined ? 'Answer: empty.' : `Answer:${shown(output.members)}`,
    `Errors of its own: ${errorsOf(operation.errors, service)}`,
  ]
}

function errorsOf(codes: readonly ErrorCode[], { protocol, signingName }: ServicePage): string {
  if (codes.length === 0) return 'none.'
  const names = codes.map((code) => wireName(code, protocol, signingName))
  return `${names.sort().join(', ')}.`
}

/** What the state of the key has to be, where the operation asks for it. */
function statesOf(name: string): string | undefined {
  if (!(name in stateTable)) return undefined
  const row = stateTable[name as keyof typeof stateTable] as Readonly<Record<string, unknown>>
  const refused = keyStates.filter((state) => row[state] !== undefined)
  if (refused.length === 0) return 'The key may be in any state.'
  return `Refused while the key is ${refused.join(', ')}.`
}

function membersOf(members: Members): string {
  const names = Object.keys(members)
  if (names.length === 0) return ' no members.'
  const rows = rowsOf(members, '')
  return `\n\n| member | type | bounds |\n| --- | --- | --- |\n${rows.join('\n')}`
}

function rowsOf(members: Members, prefix: string): string[] {
  return Object.entries(members).flatMap(([name, schema]) => {
    const mark = schema.required === true ? ' (required)' : ''
    const row = `| \`${prefix}${name}\`${mark} | ${typeOf(schema)} | ${boundsOf(schema)} |`
    return [row, ...nestedRows(schema, `${prefix}${name}`)]
  })
}

function nestedRows(schema: Schema, path: string): string[] {
  if (schema.type === 'structure') return rowsOf(schema.members, `${path}.`)
  return schema.type === 'list' ? nestedRows(schema.member, `${path}[]`) : []
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, '../docs/reference')
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of referencePages()) {
    writeFileSync(join(folder, file), text)
    console.log(`docs/reference/${file}`)
  }
}
