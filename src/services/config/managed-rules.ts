/** What a managed rule is about, and what it takes. Which of them there are: the keys of `managedRules`. */
export type ManagedRule = {
  /** Types of resources that it looks at. */
  readonly types: readonly string[]
  /** AWS evaluates it now and then; here every rule follows each change. */
  readonly periodic: boolean
  readonly parameters: Readonly<Record<string, ParameterKind>>
  readonly required?: readonly string[]
}

/** CSV of key ids or ARNs, of patterns of KMS actions, or a boolean. */
export type ParameterKind = 'keys' | 'actions' | 'boolean'

const key = ['AWS::KMS::Key']
const trail = ['AWS::CloudTrail::Trail']
const bucket = ['AWS::S3::Bucket']

/**
 * The managed rules about KMS and encryption for what there is here, and one that AWS does not have.
 * https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html
 */
export const managedRules: Readonly<Record<string, ManagedRule>> = {
  CMK_BACKING_KEY_ROTATION_ENABLED: { types: key, periodic: true, parameters: {} },
  KMS_CMK_NOT_SCHEDULED_FOR_DELETION: {
    types: key,
    periodic: true,
    parameters: { kmsKeyIds: 'keys' },
  },
  KMS_KEY_POLICY_NO_PUBLIC_ACCESS: { types: key, periodic: false, parameters: {} },
  IAM_CUSTOMER_POLICY_BLOCKED_KMS_ACTIONS: {
    types: ['AWS::IAM::Policy'],
    periodic: false,
    parameters: { blockedActionsPatterns: 'actions', excludePermissionBoundaryPolicy: 'boolean' },
    required: ['blockedActionsPatterns'],
  },
  IAM_INLINE_POLICY_BLOCKED_KMS_ACTIONS: {
    types: ['AWS::IAM::Group', 'AWS::IAM::Role', 'AWS::IAM::User'],
    periodic: false,
    parameters: { blockedActionsPatterns: 'actions', excludeRoleByManagementAccount: 'boolean' },
    required: ['blockedActionsPatterns'],
  },
  CLOUD_TRAIL_ENCRYPTION_ENABLED: { types: trail, periodic: true, parameters: {} },
  CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED: { types: trail, periodic: true, parameters: {} },
  S3_DEFAULT_ENCRYPTION_KMS: {
    types: bucket,
    periodic: false,
    parameters: { kmsKeyArns: 'keys' },
  },
  S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED: { types: bucket, periodic: false, parameters: {} },
  KMS_KEY_SEPARATION_OF_DUTIES: { types: key, periodic: false, parameters: {} },
}

export function managedRule(identifier: string): ManagedRule | undefined {
  return Object.hasOwn(managedRules, identifier) ? managedRules[identifier] : undefined
}

/** Texts by name; undefined unless the text is a JSON object of texts. */
export function parametersIn(
  text: string | undefined,
): Readonly<Record<string, string>> | undefined {
  if (text === undefined) return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  // AWS takes numbers and booleans, too.
  if (entries.some(([, one]) => !['string', 'number', 'boolean'].includes(typeof one)))
    return undefined
  return Object.fromEntries(entries.map(([name, one]) => [name, String(one)]))
}

/** What is wrong with a rule's parameters, as a sentence. */
export function parameterFault(
  { parameters, required = [] }: ManagedRule,
  given: Readonly<Record<string, string>>,
): string | undefined {
  for (const [name, value] of Object.entries(given)) {
    const kind = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (kind === undefined) {
      return `Unknown parameters provided in the inputParameters: {"${name}":"${value}"}.`
    }
    if (!fits[kind](value)) return `The value of the parameter ${name} is not valid: ${value}.`
  }
  const missing = required.find((name) => !Object.hasOwn(given, name))
  return missing && `The required parameter [${missing}] is not present in the inputParameters.`
}

export function csv(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

const keyForm = /^(?:arn:aws:kms:[a-z0-9-]+:\d{12}:key\/)?(?:mrk-)?[0-9a-f-]{32,36}$/
const actionForm = /^(?:\*|kms:[A-Za-z*?]{1,64})$/i

const fits: Readonly<Record<ParameterKind, (value: string) => boolean>> = {
  keys: (value) => csv(value).length > 0 && csv(value).every((each) => keyForm.test(each)),
  actions: (value) => csv(value).length > 0 && csv(value).every((each) => actionForm.test(each)),
  boolean: (value) => /^(?:true|false)$/i.test(value),
}
