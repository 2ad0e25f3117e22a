import type { CallContext, Check, ConditionValues, JsonObject } from '../operation.ts'
import { type RuleRecord, ruleArn } from './state.ts'

/** One permission, on everything that the service has in the account unless a resource is named. */
export function check(
  call: CallContext,
  operation: string,
  arn = '*',
  conditions: ConditionValues = {},
): readonly Check[] {
  const { account } = call.caller
  const permission = `config:${operation}`
  return [{ permission, resource: { type: 'identity', arn, account }, conditions }]
}

export function checkRule(
  call: CallContext,
  operation: string,
  rule: RuleRecord,
  conditions: ConditionValues = {},
): readonly Check[] {
  const tags = rule.tags.map(({ Key, Value }) => [`aws:ResourceTag/${Key}`, Value])
  return check(call, operation, ruleArn(rule), { ...Object.fromEntries(tags), ...conditions })
}

/** The named members of a request, as its record shows them. */
export function shown<T extends object>(
  request: T,
  names: readonly (keyof T & string)[],
): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = request[name]
      return value === undefined ? [] : [[name[0]?.toLowerCase() + name.slice(1), value]]
    }),
  )
}

export function whereOf({ caller, region }: CallContext) {
  return { account: caller.account, region }
}
