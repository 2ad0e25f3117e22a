import { conditionKeyOf } from '../../../../authorize/condition-keys.ts'
import { foldKey } from '../../../../authorize/conditions/folded-names.ts'
import { compileAnyGlob, parseGlob } from '../../../../authorize/glob.ts'
import { PolicyFault } from '../../../../authorize/json.ts'
import { bindPrincipals, type PrincipalNames } from '../../../../authorize/policy/bind.ts'
import { compilePolicy } from '../../../../authorize/policy/compile.ts'
import type { Statement, Text } from '../../../../authorize/policy/document.ts'
import { parsePolicy } from '../../../../authorize/policy/parse.ts'
import { parsePrincipal } from '../../../../authorize/policy/principal.ts'
import { ServiceError } from '../../../../base/errors.ts'
import { subjectsOf } from './policy-actions.ts'
import { faultInWordsOfS3, malformedPolicy } from './policy-faults.ts'

/** Bytes, without white space. https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html */
export const policyBytesMax = 20_480

/**
 * The text of a bucket's policy that is to be stored: users, roles and sessions in it stand by their unique ids. Throws
 * 'MalformedPolicy', in S3's own sentences.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
 */
export function admitBucketPolicy(
  text: string,
  bucket: string,
  names: Pick<PrincipalNames, 'idOf'>,
): string {
  if (!text.startsWith('{')) {
    throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
  }
  try {
    const { statements } = parsePolicy(text, 'bucket')
    const compact = withoutSpace(text)
    if (Buffer.byteLength(compact) > policyBytesMax) throw tooLarge()
    for (const statement of statements) requireStatement(statement, bucket, names)
    const kept = Buffer.byteLength(text) > policyBytesMax ? compact : text
    const bound = bindPrincipals(kept, 'bucket', names)
    // What it becomes is longer by no more than ids are than ARNs, and is read as it stands.
    compilePolicy(bound, 'bucket')
    return bound
  } catch (error) {
    if (error instanceof PolicyFault) throw faultInWordsOfS3(error, text)
    if (error instanceof ServiceError && error.code === 'limit-exceeded') throw tooLarge()
    throw error
  }
}

function tooLarge() {
  return malformedPolicy(
    `Normalized policy document exceeds the maximum allowed size of ${policyBytesMax} bytes`,
  )
}

/** Of a text that is JSON: strings stay as they are. */
function withoutSpace(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1')
}

function requireStatement(
  statement: Statement,
  bucket: string,
  names: Pick<PrincipalNames, 'idOf'>,
): void {
  requirePrincipals(statement, names)
  const { action, resource, conditions } = statement
  const actions = (action?.patterns ?? []).map((pattern) => requireAction(pattern))
  const resources = (resource?.patterns ?? []).map((pattern) => requireResource(pattern, bucket))
  for (const { key } of conditions) requireConditionKey(key)
  if (action?.inverted === true || resource?.inverted === true) return
  const buckets = resources.some((each) => each.buckets)
  const objects = resources.some((each) => each.objects)
  for (const each of actions) {
    if ((each.buckets && buckets) || (each.objects && objects)) continue
    throw malformedPolicy('Action does not apply to any resource(s) in statement', each.text)
  }
}

/** Whom S3 does not know it names no further. Who lets in all but some has to say so the other way round. */
function requirePrincipals(
  { principal, effect }: Statement,
  names: Pick<PrincipalNames, 'idOf'>,
): void {
  if (principal?.inverted === true && effect === 'Allow') {
    throw malformedPolicy('Invalid policy syntax.', undefined, 'Allow with NotPrincipal')
  }
  for (const entry of principal?.entries ?? []) {
    const named = parsePrincipal(entry, 'bucket')
    if (named === undefined || names.idOf(named) === undefined) {
      throw malformedPolicy('Invalid principal in policy', `"${entry.kind}" : "${entry.text}"`)
    }
  }
}

function requireAction({ text }: Text) {
  if (text === '*') return { text, buckets: true, objects: true }
  const subjects = subjectsOf(text)
  if (subjects === undefined || !text.includes(':')) {
    throw malformedPolicy('Policy has invalid action', text)
  }
  return { text, ...subjects }
}

const resourcePrefix = 'arn:aws:s3:::'

/** It has to be of this bucket, which it may name with wildcards. */
function requireResource({ text }: Text, bucket: string) {
  const rest = text.startsWith(resourcePrefix) ? text.slice(resourcePrefix.length) : ''
  const slash = rest.indexOf('/')
  const name = slash < 0 ? rest : rest.slice(0, slash)
  if (!compileAnyGlob([parseGlob(name)])(bucket)) {
    throw malformedPolicy('Policy has invalid resource', text)
  }
  return { buckets: slash < 0, objects: slash >= 0 || name.endsWith('*') }
}

/** Keys of S3 that no request brings here, because what they are about is not served. */
const unserved: ReadonlySet<string> = new Set(
  [
    ...[
      's3:AccessGrantsInstanceArn',
      's3:AccessPointNetworkOrigin',
      's3:BucketTag',
      's3:DataAccessPointAccount',
    ],
    ...['s3:DataAccessPointArn', 's3:InventoryAccessibleOptionalFields', 's3:JobSuspendedCause'],
    ...['s3:ObjectCreationOperation', 's3:destinationRegion', 's3:isReplicationPauseRequest'],
    ...[
      's3:object-lock-legal-hold',
      's3:object-lock-mode',
      's3:object-lock-remaining-retention-days',
    ],
    ...[
      's3:object-lock-retain-until-date',
      's3:x-amz-bucket-namespace',
      's3:x-amz-grant-full-control',
    ],
    ...['s3:x-amz-grant-read', 's3:x-amz-grant-read-acp', 's3:x-amz-grant-write'],
    ...['s3:x-amz-grant-write-acp', 's3:x-amz-website-redirect-location'],
  ].map(foldKey),
)

function requireConditionKey(key: string): void {
  const folded = foldKey(key)
  if (!folded.startsWith('s3:') || unserved.has(folded) || folded.startsWith('s3:buckettag/'))
    return
  if (conditionKeyOf(key) === undefined) {
    throw malformedPolicy('Policy has an invalid condition key', key)
  }
}
