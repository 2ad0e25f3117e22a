import { ServiceError } from '../base/errors.ts'
import { type Fault, PolicyFault } from './json.ts'
import { bindPrincipals, type PrincipalNames } from './policy/bind.ts'
import { compileDocument } from './policy/compile.ts'
import type { PolicyDocument, Text } from './policy/document.ts'
import { parsePolicy } from './policy/parse.ts'
import { parsePrincipal } from './policy/principal.ts'

/**
 * Policies that are put by calls on IAM and STS. IAM tells what is wrong with a policy in sentences
 * of its own and does not say where; that is in the failure's detail. How long a policy may be is for the callers to
 * check.
 */

/**
 * Of a user, a group or a role, a permissions boundary, or a session. Managed policies must say that they are of 2012.
 * Throws 'malformed-policy'.
 */
export function admitIdentityPolicy(text: string, form: 'inline' | 'managed' = 'inline'): void {
  inTheWordsOfIam(identityTexts, () => {
    const document = parsePolicy(text, 'identity')
    if (form === 'managed' && document.version !== '2012-10-17') throw malformed(oldVersion)
    for (const { resource } of document.statements) resource?.patterns.forEach(requireResource)
    for (const { action } of document.statements) action?.patterns.forEach(requireAction)
    compileDocument(document, text)
  })
}

/**
 * Of a role: who may assume it. Answers the text to be stored, which names principals by their unique ids. Throws
 * 'malformed-policy'.
 */
export function admitTrustPolicy(text: string, names: Pick<PrincipalNames, 'idOf'>): string {
  return inTheWordsOfIam(trustTexts, () => {
    const document = parsePolicy(text, 'trust')
    for (const { action } of document.statements) action?.patterns.forEach(requireAction)
    requirePrincipals(document, names)
    compileDocument(document, text)
    return bindPrincipals(text, 'trust', names)
  })
}

const syntax = 'Syntax errors in policy.'
const legacy = 'The policy failed legacy parsing'
const oldVersion = 'Policy document must be version 2012-10-17 or greater.'
const noVendor = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'

/** As they were recorded of AWS. */
const identityTexts: Readonly<Record<Fault, string>> = {
  json: syntax,
  structure: syntax,
  version: syntax,
  'repeated-sid': 'Statement IDs (SID) in a single policy must be unique.',
  'no-action': 'Policy statement must contain actions.',
  'no-resource': 'Policy statement must contain resources.',
  'resource-in-trust-policy': syntax,
  'no-principal': syntax,
  'principal-in-identity-policy': 'Policy document should not specify a principal.',
  'not-principal-in-trust-policy': syntax,
  'action-not-of-sts': syntax,
  'condition-without-vendor': noVendor,
  value: legacy,
}

const trustTexts: Readonly<Record<Fault, string>> = {
  ...identityTexts,
  json: 'This policy contains invalid Json',
  'no-action': 'Missing required field Action',
  'resource-in-trust-policy': 'Has prohibited field Resource',
  'no-principal': 'Missing required field Principal',
  'not-principal-in-trust-policy': 'AssumeRole policy must not contain NotPrincipal field.',
  'action-not-of-sts': 'AssumeRole policy may only specify STS AssumeRole actions.',
}

function inTheWordsOfIam<T>(texts: Readonly<Record<Fault, string>>, admit: () => T): T {
  try {
    return admit()
  } catch (error) {
    if (error instanceof PolicyFault) throw malformed(texts[error.fault], error.publicMessage)
    throw error
  }
}

function malformed(text: string, detail?: string): ServiceError {
  return new ServiceError('malformed-policy', text, detail === undefined ? {} : { detail })
}

const vendorPattern = /^[a-zA-Z0-9.-]*$/

function requireAction({ text }: Text): void {
  const [vendor = '', ...names] = text.split(':')
  if (text === '*') return
  if (names.length === 0) throw malformed(noVendor)
  if (names.length > 1) throw malformed('Actions/Condition can contain only one colon.')
  if (vendor !== '*' && !vendorPattern.test(vendor))
    throw malformed(`Vendor ${vendor} is not valid`)
}

function requireResource({ text }: Text): void {
  if (text === '*') return
  const [, partition, vendor, region, account, ...path] = text.split(':')
  if (partition === undefined) throw malformed(`Resource ${text} must be in ARN format or "*".`)
  if (partition !== 'aws' && partition !== '*') {
    const parts = [vendor ?? '*', region ?? '*', account ?? '*', path.join(':') || '*'].join(':')
    throw malformed(
      `Partition "${partition}" is not valid for resource "arn:${partition}:${parts}".`,
    )
  }
  if (vendor === undefined || /^$|[*?]/.test(vendor)) {
    throw malformed('Resource vendor must be fully qualified and cannot contain regexes.')
  }
  if (vendor === 'iam' && region !== undefined && region !== '') {
    throw malformed(`IAM resource ${text} cannot contain region information.`)
  }
  if (path.length === 0 && text.includes('::')) throw malformed(legacy)
}

function requirePrincipals(document: PolicyDocument, names: Pick<PrincipalNames, 'idOf'>): void {
  for (const { principal } of document.statements) {
    for (const entry of principal?.entries ?? []) {
      const named = parsePrincipal(entry, 'trust')
      if (named === undefined || names.idOf(named) === undefined) {
        throw malformed(`Invalid principal in policy: "${entry.kind}":"${entry.text}"`)
      }
    }
  }
}
