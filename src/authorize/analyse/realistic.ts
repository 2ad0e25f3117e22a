import type { ConditionValues } from '../conditions/context.ts'
import { foldKey } from '../conditions/folded-names.ts'
import type { Demand } from './key-solver.ts'

/**
 * Condition keys were solved one by one, and some belong together. What can be put right without touching what is
 * demanded is put right; what cannot is undefined: it may be that no request is so. Whether all demands still hold is
 * asked of the result again.
 */
export function madeRealistic(
  found: ConditionValues,
  demands: ReadonlyMap<string, readonly Demand[]>,
): ConditionValues | undefined {
  let values: ConditionValues | undefined = found
  values = withNames(values, demands, 'kms:EncryptionContext:', 'kms:EncryptionContextKeys')
  values = values && withNames(values, demands, 'aws:RequestTag/', 'aws:TagKeys')
  values = values && withConstraintType(values, demands)
  return values && oneTime(values) && oneGrantee(values, demands) ? values : undefined
}

/** Where the names of pairs are a key of their own, it is those names. */
function withNames(
  found: ConditionValues,
  demands: ReadonlyMap<string, readonly Demand[]>,
  prefix: string,
  listKey: string,
): ConditionValues | undefined {
  if (!demands.has(foldKey(listKey))) return found
  const { [listKey]: given, ...values } = { ...found } as Record<string, string | readonly string[]>
  const listed = typeof given === 'string' ? [given] : [...(given ?? [])]
  const pairs = Object.keys(values).filter((name) => name.startsWith(prefix))
  const spelled: Record<string, string | readonly string[]> = {}
  for (const pair of pairs) {
    const name = pair.slice(prefix.length)
    const same = listed.find((each) => foldKey(each) === foldKey(name))
    if (same === undefined) {
      if (given === undefined) return undefined
      listed.push(name)
    }
    spelled[`${prefix}${same ?? name}`] = values[pair] ?? 'x'
    delete values[pair]
  }
  for (const name of listed) {
    const folded = foldKey(`${prefix}${name}`)
    if (Object.keys(spelled).some((each) => foldKey(each) === folded)) continue
    // It was demanded, and found to be absent.
    if (demands.has(folded)) return undefined
    spelled[`${prefix}${name}`] = 'x'
  }
  return listed.length === 0
    ? { ...values, ...spelled }
    : { ...values, ...spelled, [listKey]: listed }
}

/** A grant has pairs exactly when it has a constraint on the encryption context. */
function withConstraintType(
  found: ConditionValues,
  demands: ReadonlyMap<string, readonly Demand[]>,
): ConditionValues | undefined {
  const name = 'kms:GrantConstraintType'
  if (!demands.has(foldKey(name))) return found
  const pairs = Object.keys(found).filter((each) => each.startsWith('kms:EncryptionContext:'))
  if (found[name] === undefined) return pairs.length === 0 ? found : undefined
  if (pairs.length > 0) return found
  const free = 'kms:EncryptionContext:purpose'
  const asked = demands.has(foldKey(free)) || demands.has('kms:encryptioncontextkeys')
  return asked ? undefined : { ...found, [free]: 'x' }
}

/** The same moment, said twice. */
function oneTime(values: ConditionValues): boolean {
  const date = values['aws:CurrentTime']
  const seconds = values['aws:EpochTime']
  if (typeof date !== 'string' || typeof seconds !== 'string') return true
  return Math.floor(Date.parse(date) / 1000) === Number(seconds)
}

/** A grant is to a principal or to a service, and to one of them. */
function oneGrantee(
  values: ConditionValues,
  demands: ReadonlyMap<string, readonly Demand[]>,
): boolean {
  const [principal, service] = ['kms:GranteePrincipal', 'kms:GranteeServicePrincipal']
  if (!demands.has(foldKey(principal)) || !demands.has(foldKey(service))) return true
  return (values[principal] === undefined) !== (values[service] === undefined)
}
