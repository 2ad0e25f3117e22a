import { parseOperator } from '../../../../authorize/conditions/operator-name.ts'
import type { Fault, PolicyFault } from '../../../../authorize/json.ts'
import { type ServiceError, s3Error } from '../../../../base/errors.ts'

/** What S3 says of a policy that cannot be one. */
const texts: Readonly<Record<Fault, string>> = {
  json: 'This policy contains invalid Json',
  structure: 'Invalid policy syntax.',
  version: 'The policy must contain a valid version string',
  'repeated-sid': 'Statement IDs (SID) in a single policy must be unique.',
  'no-action': 'Missing required field Action',
  'no-resource': 'Missing required field Resource',
  'resource-in-trust-policy': 'Invalid policy syntax.',
  'no-principal': 'Missing required field Principal',
  'principal-in-identity-policy': 'Invalid policy syntax.',
  'not-principal-in-trust-policy': 'Invalid policy syntax.',
  'action-not-of-sts': 'Invalid policy syntax.',
  'condition-without-vendor': 'Policy has an invalid condition key',
  value: 'Invalid policy syntax.',
}

const detailMax = 256
const echoMax = 64

/** `about` is the part of the policy that it is about, which S3 repeats. */
export function malformedPolicy(text: string, about?: string, detail?: string): ServiceError {
  const members = about === undefined ? undefined : { Detail: about.slice(0, detailMax) }
  return s3Error('MalformedPolicy', members, { text, ...(detail !== undefined && { detail }) })
}

export function faultInWordsOfS3({ fault, publicMessage }: PolicyFault, text: string) {
  const said = fault === 'structure' ? structureText(text) : texts[fault]
  return malformedPolicy(said, undefined, publicMessage)
}

type Json = { readonly [name: string]: unknown }

/** Of a text that is JSON, and no policy. */
function structureText(text: string): string {
  const root: unknown = JSON.parse(text)
  if (!isObject(root)) return texts.structure
  const { Statement: given } = root
  if (given === undefined) return 'Missing required field Statement'
  if (Array.isArray(given) && given.length === 0) {
    return 'Could not parse the policy: Statement is empty!'
  }
  const statements: readonly unknown[] = Array.isArray(given) ? given : [given]
  for (const statement of statements) {
    const said = isObject(statement) ? statementText(statement) : undefined
    if (said !== undefined) return said
  }
  return texts.structure
}

function statementText({ Effect, Condition }: Json): string | undefined {
  if (Effect === undefined) return 'Missing required field Effect'
  if (typeof Effect === 'string' && Effect !== 'Allow' && Effect !== 'Deny') {
    return `Invalid effect: ${Effect.slice(0, echoMax)}`
  }
  const operators = isObject(Condition) ? Object.keys(Condition) : []
  const unknown = operators.find((name) => parseOperator(name) === undefined)
  return unknown === undefined ? undefined : `Invalid Condition type : ${unknown.slice(0, echoMax)}`
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
