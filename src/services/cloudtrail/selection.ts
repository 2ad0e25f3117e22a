import type { AdvancedSelector, BasicSelector, FieldSelector, TrailRecord } from './trails.ts'

/** The members of a record by which trails select. */
export type SelectableEvent = {
  readonly recipientAccountId?: string
  readonly awsRegion?: string
  readonly eventCategory?: string
  readonly eventSource?: string
  readonly eventName?: string
  readonly eventType?: string
  /** Absent: a write. */
  readonly readOnly?: boolean
  readonly errorCode?: string
  readonly vpcEndpointId?: string
  readonly sessionCredentialFromConsole?: boolean | string
  readonly userIdentity?: { readonly arn?: string; readonly invokedBy?: string }
  readonly resources?: readonly {
    readonly type?: string
    readonly ARN?: string
    readonly ARNPrefix?: string
  }[]
}

/** What of a trail decides on an event. */
export type SelectingTrail = Pick<
  TrailRecord,
  | 'account'
  | 'homeRegion'
  | 'multiRegion'
  | 'globalServiceEvents'
  | 'recursiveLogging'
  | 'selectors'
>

/** Services whose events a trail can leave out as a whole: IncludeGlobalServiceEvents. */
const globalServices: ReadonlySet<string> = new Set(['iam.amazonaws.com', 'sts.amazonaws.com'])

const cloudTrail = 'cloudtrail.amazonaws.com'

/**
 * Whether a trail delivers an event, while it is logging. An event belongs to the Region that its record names, those
 * of IAM and STS as well: a trail of one Region delivers them when they are of its Region.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html
 */
export function selects(trail: SelectingTrail, event: SelectableEvent): boolean {
  if (event.recipientAccountId !== trail.account) return false
  if (!trail.multiRegion && event.awsRegion !== trail.homeRegion) return false
  if (!trail.globalServiceEvents && globalServices.has(event.eventSource ?? '')) return false
  if (trail.recursiveLogging === false && event.userIdentity?.invokedBy === cloudTrail) return false
  const { selectors } = trail
  if (selectors === undefined) return event.eventCategory === 'Management'
  return selectors.kind === 'basic'
    ? selectors.selectors.some((selector) => selectsBasic(selector, event))
    : selectors.selectors.some((selector) => selectsAdvanced(selector, event))
}

function selectsBasic(selector: BasicSelector, event: SelectableEvent): boolean {
  const { readWriteType } = selector
  const isRead = event.readOnly === true
  if (readWriteType !== 'All' && isRead !== (readWriteType === 'ReadOnly')) return false
  switch (event.eventCategory) {
    case 'Management':
      return (
        selector.includeManagementEvents &&
        !selector.excludeManagementEventSources.includes(event.eventSource ?? '')
      )
    case 'Data':
      return selector.dataResources.some(({ type, values }) => {
        const arns = resourceArns(event, [type])
        return values.some((value) => arns.some((arn) => arn.startsWith(value)))
      })
    default:
      return false
  }
}

function selectsAdvanced({ fieldSelectors }: AdvancedSelector, event: SelectableEvent): boolean {
  const types = fieldSelectors
    .filter(({ field }) => field === 'resources.type')
    .flatMap(({ equals }) => equals ?? [])
  return fieldSelectors.every((selector) => {
    return matches(selector, valuesOf(selector.field, event, types))
  })
}

/** Of the conditions that select, one has to hold; of those that deselect, none may. */
function matches(selector: FieldSelector, values: readonly string[]): boolean {
  const { equals, startsWith, endsWith, notEquals, notStartsWith, notEndsWith } = selector
  const any = (operands: readonly string[] | undefined, holds: Comparison) =>
    operands?.some((operand) => values.some((value) => holds(value, operand))) ?? false
  if (any(notEquals, isEqual) || any(notStartsWith, isStart) || any(notEndsWith, isEnd)) {
    return false
  }
  if (equals === undefined && startsWith === undefined && endsWith === undefined) return true
  return any(equals, isEqual) || any(startsWith, isStart) || any(endsWith, isEnd)
}

type Comparison = (value: string, operand: string) => boolean
const isEqual: Comparison = (value, operand) => value === operand
const isStart: Comparison = (value, operand) => value.startsWith(operand)
const isEnd: Comparison = (value, operand) => value.endsWith(operand)

/** `types`: those that the selector names; resources.ARN is about resources of these alone. */
function valuesOf(field: string, event: SelectableEvent, types: readonly string[]): string[] {
  switch (field) {
    case 'resources.ARN':
      return resourceArns(event, types)
    case 'resources.type':
      return present(...(event.resources ?? []).map(({ type }) => type))
    case 'readOnly':
      return [String(event.readOnly === true)]
    case 'sessionCredentialFromConsole':
      return present(event.sessionCredentialFromConsole?.toString())
    case 'userIdentity.arn':
      return present(event.userIdentity?.arn)
    case 'eventCategory':
    case 'eventSource':
    case 'eventName':
    case 'eventType':
    case 'errorCode':
    case 'vpcEndpointId':
      return present(event[field])
    default:
      return []
  }
}

/** A list of objects concerns all with one beginning: such an event has that in place of an ARN. */
function resourceArns(event: SelectableEvent, types: readonly string[]): string[] {
  const concerned = (event.resources ?? []).filter(({ type = '' }) => types.includes(type))
  return present(...concerned.map(({ ARN, ARNPrefix }) => ARN ?? ARNPrefix))
}

function present(...values: readonly (string | undefined)[]): string[] {
  return values.filter((value) => value !== undefined)
}
