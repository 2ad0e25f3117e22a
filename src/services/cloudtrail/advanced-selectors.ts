import type { Value } from '../../wire/schema.ts'
import { invalidSelectors } from './errors.ts'
import type { advancedEventSelectors } from './shapes.ts'

type Selector = Value<typeof advancedEventSelectors>[number]
type FieldSelector = Selector['FieldSelectors'][number]

const operators = [
  'Equals',
  'StartsWith',
  'EndsWith',
  'NotEquals',
  'NotStartsWith',
  'NotEndsWith',
] as const
type Operator = (typeof operators)[number]

/** Sources of management events that a trail can leave out. */
export const excludableSources: ReadonlySet<string> = new Set([
  'kms.amazonaws.com',
  'rdsdata.amazonaws.com',
])

/** What one field takes; without a word about it, every operator and every value. */
type Field = {
  readonly required?: true
  readonly operators?: readonly Operator[]
  readonly allows?: (value: string) => boolean
  /** One value is all that it takes. */
  readonly single?: true
}

const oneOf = (...values: readonly string[]): Field => ({
  operators: ['Equals'],
  single: true,
  allows: (value) => values.includes(value),
})
const category: Field = {
  ...oneOf('Management', 'Data', 'NetworkActivity'),
  required: true,
}
const anything: Field = {}

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html */
const fieldsOf: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  Management: {
    eventCategory: category,
    eventSource: { operators: ['NotEquals'], allows: (value) => excludableSources.has(value) },
    readOnly: oneOf('true', 'false'),
  },
  Data: {
    eventCategory: category,
    'resources.type': {
      required: true,
      operators: ['Equals'],
      single: true,
      allows: (value) => /^AWS::\w{1,64}::\w{1,64}$/.test(value),
    },
    eventName: anything,
    eventSource: anything,
    eventType: anything,
    readOnly: oneOf('true', 'false'),
    'resources.ARN': anything,
    sessionCredentialFromConsole: {
      operators: ['Equals', 'NotEquals'],
      single: true,
      allows: (value) => value === 'true',
    },
    'userIdentity.arn': anything,
  },
  NetworkActivity: {
    eventCategory: category,
    eventSource: { required: true, operators: ['Equals'] },
    eventName: anything,
    errorCode: { operators: ['Equals'], allows: (value) => value === 'VpceAccessDenied' },
    vpcEndpointId: anything,
  },
}

const valuesMax = 500

/** Throws 'invalid-event-selectors'. */
export function checkAdvanced(selectors: readonly Selector[]): void {
  if (selectors.length === 0) throw invalidSelectors('Advanced event selectors must not be empty.')
  const counts = selectors.flatMap(({ FieldSelectors }) => FieldSelectors.map(valueCount))
  if (counts.reduce((sum, count) => sum + count, 0) > valuesMax) {
    throw invalidSelectors(
      `A trail has at most ${valuesMax} values for all conditions of all advanced event selectors.`,
    )
  }
  for (const selector of selectors) checkSelector(selector)
}

function valueCount(selector: FieldSelector): number {
  return operators.reduce((sum, operator) => sum + (selector[operator]?.length ?? 0), 0)
}

function checkSelector({ FieldSelectors: selectors }: Selector): void {
  const named = selectors.find(({ Field }) => Field === 'eventCategory')?.Equals?.[0] ?? ''
  const fields = Object.hasOwn(fieldsOf, named) ? fieldsOf[named] : undefined
  if (fields === undefined) {
    throw invalidSelectors(
      'An advanced event selector needs eventCategory with Equals Management, Data or NetworkActivity.',
    )
  }
  for (const [name, field] of Object.entries(fields)) {
    const count = selectors.filter(({ Field }) => Field === name).length
    if (field.required ? count !== 1 : field.single && count > 1) {
      throw invalidSelectors(
        `Field ${name} stands ${count} times in a selector of ${named} events.`,
      )
    }
  }
  for (const selector of selectors) {
    const field = Object.hasOwn(fields, selector.Field) ? fields[selector.Field] : undefined
    if (field === undefined) {
      throw invalidSelectors(
        `Field ${selector.Field.slice(0, 64)} is none of selectors of ${named} events.`,
      )
    }
    checkField(selector, field)
  }
}

function checkField(selector: FieldSelector, field: Field): void {
  const count = valueCount(selector)
  if (count === 0) throw invalidSelectors(`Field ${selector.Field} has no condition.`)
  if (field.single && count > 1) {
    throw invalidSelectors(`Field ${selector.Field} takes one value.`)
  }
  for (const operator of operators) {
    const values = selector[operator]
    if (values === undefined) continue
    if (field.operators !== undefined && !field.operators.includes(operator)) {
      throw invalidSelectors(`Field ${selector.Field} takes no ${operator}.`)
    }
    const wrong = values.find((value) => field.allows?.(value) === false)
    if (wrong !== undefined) {
      throw invalidSelectors(`Field ${selector.Field} takes no value '${wrong.slice(0, 256)}'.`)
    }
  }
}
