import type { Value } from '../../wire/schema.ts'
import { checkAdvanced, excludableSources } from './advanced-selectors.ts'
import { invalidSelectors } from './errors.ts'
import type { advancedEventSelectors, eventSelectors } from './shapes.ts'
import type { BasicSelector, EventSelectors } from './trails.ts'

/** As PutEventSelectors and GetEventSelectors have them. */
export type SelectorsView = {
  readonly EventSelectors?: Value<typeof eventSelectors> | undefined
  readonly AdvancedEventSelectors?: Value<typeof advancedEventSelectors> | undefined
}

/**
 * Throws 'invalid-event-selectors'.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
 */
export function selectorsOf(request: SelectorsView): EventSelectors {
  const { EventSelectors: basic, AdvancedEventSelectors: advanced } = request
  if (basic !== undefined && advanced !== undefined) {
    throw invalidSelectors(
      'A trail can have event selectors or advanced event selectors, not both.',
    )
  }
  if (advanced !== undefined) {
    checkAdvanced(advanced)
    return { kind: 'advanced', selectors: advanced.map(advancedOf) }
  }
  if (basic === undefined) throw invalidSelectors('Event selectors must be specified.')
  if (basic.length < 1 || basic.length > selectorsMax) {
    throw invalidSelectors(`A trail has 1 to ${selectorsMax} event selectors.`)
  }
  const selectors = basic.map(basicOf)
  const resources = selectors.flatMap(({ dataResources }) => dataResources)
  const values = resources.reduce((sum, each) => sum + each.values.length, 0)
  if (values > dataValuesMax || resources.length > dataValuesMax) {
    throw invalidSelectors(`A trail has at most ${dataValuesMax} data resources.`)
  }
  return { kind: 'basic', selectors }
}

const selectorsMax = 5
const dataValuesMax = 250
const valueLengthMax = 2048

/** Kinds of data resources that event selectors can name, and what their ARNs begin with. */
const dataTypes: ReadonlyMap<string, string> = new Map([
  ['AWS::S3::Object', 'arn:aws:s3'],
  ['AWS::Lambda::Function', 'arn:aws:lambda'],
  ['AWS::DynamoDB::Table', 'arn:aws:dynamodb'],
])

type Basic = Value<typeof eventSelectors>[number]

function basicOf(selector: Basic): BasicSelector {
  const { ExcludeManagementEventSources: excluded = [], DataResources: resources = [] } = selector
  const unknown = excluded.find((source) => !excludableSources.has(source))
  if (unknown !== undefined) {
    throw invalidSelectors(`${shown(unknown)} is no event source that can be excluded.`)
  }
  if (new Set(excluded).size < excluded.length) {
    throw invalidSelectors('An event source is excluded once.')
  }
  const includeManagementEvents = selector.IncludeManagementEvents ?? true
  if (!includeManagementEvents && excluded.length > 0) {
    throw invalidSelectors('Without management events there are none to be excluded.')
  }
  return {
    readWriteType: selector.ReadWriteType ?? 'All',
    includeManagementEvents,
    dataResources: resources.map(dataResourceOf),
    excludeManagementEventSources: excluded,
  }
}

type DataResource = NonNullable<Basic['DataResources']>[number]

function dataResourceOf({ Type = '', Values: values = [] }: DataResource) {
  const beginning = dataTypes.get(Type)
  if (beginning === undefined) {
    throw invalidSelectors(`${shown(Type)} is no type of data resources of event selectors.`)
  }
  const isOfType = (value: string) =>
    value === beginning || (value.startsWith(`${beginning}:`) && value.length <= valueLengthMax)
  const wrong = values.find((value) => !isOfType(value))
  if (wrong !== undefined) throw invalidSelectors(`${shown(wrong)} is no ARN of ${Type}.`)
  return { type: Type, values }
}

function shown(text: string): string {
  return `'${text.slice(0, 256)}'`
}

function advancedOf({ Name, FieldSelectors }: Value<typeof advancedEventSelectors>[number]) {
  return {
    ...(Name !== undefined && { name: Name }),
    fieldSelectors: FieldSelectors.map((selector) => ({
      field: selector.Field,
      ...(selector.Equals && { equals: selector.Equals }),
      ...(selector.StartsWith && { startsWith: selector.StartsWith }),
      ...(selector.EndsWith && { endsWith: selector.EndsWith }),
      ...(selector.NotEquals && { notEquals: selector.NotEquals }),
      ...(selector.NotStartsWith && { notStartsWith: selector.NotStartsWith }),
      ...(selector.NotEndsWith && { notEndsWith: selector.NotEndsWith }),
    })),
  }
}

/** A trail that none were put on has the one that says so. */
const defaultSelector: BasicSelector = {
  readWriteType: 'All',
  includeManagementEvents: true,
  dataResources: [],
  excludeManagementEventSources: [],
}

export function selectorsOutput(selectors: EventSelectors | undefined): SelectorsView {
  if (selectors?.kind !== 'advanced') {
    return { EventSelectors: (selectors?.selectors ?? [defaultSelector]).map(basicOutput) }
  }
  return {
    AdvancedEventSelectors: selectors.selectors.map(({ name, fieldSelectors }) => ({
      Name: name,
      FieldSelectors: fieldSelectors.map((selector) => ({
        Field: selector.field,
        Equals: selector.equals,
        StartsWith: selector.startsWith,
        EndsWith: selector.endsWith,
        NotEquals: selector.notEquals,
        NotStartsWith: selector.notStartsWith,
        NotEndsWith: selector.notEndsWith,
      })),
    })),
  }
}

function basicOutput(selector: BasicSelector): Basic {
  return {
    ReadWriteType: selector.readWriteType,
    IncludeManagementEvents: selector.includeManagementEvents,
    DataResources: selector.dataResources.map(({ type, values }) => ({
      Type: type,
      Values: values,
    })),
    ExcludeManagementEventSources: selector.excludeManagementEventSources,
  }
}
