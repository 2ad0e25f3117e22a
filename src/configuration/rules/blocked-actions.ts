import { keyPermissions } from '../../authorize/analyse/permissions.ts'
import { ConditionContext } from '../../authorize/conditions/context.ts'
import { compileAnyGlob, parseGlob } from '../../authorize/glob.ts'
import { compilePolicy } from '../../authorize/policy/compile.ts'
import { type AccountId, type KeyId, keyArn, type Region } from '../../base/ids.ts'

/** One that nobody has: a policy that reaches it reaches every key. */
const anyKey = '00000000-0000-4000-8000-000000000000' as KeyId

/** Every action on keys that a policy can name, in lower case. */
const actions = keyPermissions.map(({ name }) => `kms:${name.toLowerCase()}`)

/**
 * The first action that an identity policy allows on all keys of a Region and that a pattern names; undefined when it
 * allows none. Conditions and denials do not count.
 * https://docs.aws.amazon.com/config/latest/developerguide/iam-customer-policy-blocked-kms-actions.html
 */
export function blockedAction(
  policy: string,
  patterns: readonly string[],
  account: AccountId,
  regions: readonly Region[],
): string | undefined {
  const isBlocked = compileAnyGlob(patterns.map((each) => parseGlob(each.toLowerCase())))
  const blocked = actions.filter(isBlocked)
  const arns = regions.map((region) => keyArn(region, account, anyKey))
  // A context bounds the work that is done with it.
  const noContext = new ConditionContext([])
  for (const { action, resource } of compilePolicy(policy, 'identity').allows) {
    if (!arns.some((arn) => resource?.(arn, noContext) === true)) continue
    const found = blocked.find((each) => action?.(each) === true)
    if (found !== undefined) return found
  }
  return undefined
}
