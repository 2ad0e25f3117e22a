import { anyOne, anyRun } from '../glob.ts'
import { textPattern } from './automaton.ts'
import type { KeyDomain } from './key-solver.ts'
import { allowEverything, otherPrincipal, type Principal } from './principals.ts'
import type { AnalysedAccount, AnalysedRole, AnalysisWorld } from './world.ts'

const anyRoleId = 'AROAANYOTHERROLE00000'
const idForm = /^(AROA[A-Z0-9]{12,124}):([\w+=,.@-]{2,64})$/
const roleForm = /\/([\w+=,.@-]{1,64})$/
const text: KeyDomain['values'] = { is: 'text' }

function always(values: KeyDomain['values']): KeyDomain {
  return { presence: 'always', shape: 'single', values }
}

function within(...pieces: Parameters<typeof textPattern>[0]): KeyDomain {
  return always({ is: 'text', within: { patterns: [textPattern(pieces)], folded: false } })
}

/**
 * A session of a role that the account does not have yet, and that no policy names: conditions on who calls may let it
 * in all the same. `appointed`: with an identity policy that allows everything.
 */
export function otherSession(
  { account, layers }: AnalysedAccount,
  roles: readonly AnalysedRole[],
  kind: 'other' | 'appointed',
): Principal {
  const known = new Set(roles.map(({ roleId }) => roleId))
  const prefix = `arn:aws:iam::${account}:role/`
  const keys: Readonly<Record<string, KeyDomain | 'absent'>> = {
    'aws:principalarn': within(prefix, anyOne, anyRun),
    'aws:userid': within('AROA', anyOne, anyRun, ':', anyOne, anyOne, anyRun),
    'aws:username': 'absent',
    'aws:tokenissuetime': always({ is: 'date' }),
    'aws:multifactorauthpresent': always({ is: 'one-of', values: ['false'] }),
  }
  return {
    id: `${kind} session ${account}`,
    uniqueId: anyRoleId,
    kind,
    name:
      kind === 'other'
        ? `a session of any other role of ${account}`
        : `a session of whatever role IAM of ${account} appoints`,
    account,
    layers: kind === 'other' ? layers : { ...layers, identity: [allowEverything] },
    fixed: {
      'aws:PrincipalAccount': account,
      'aws:PrincipalType': 'AssumedRole',
      'aws:PrincipalIsAWSService': 'false',
    },
    open(folded) {
      const isOfSessions =
        folded.startsWith('aws:principaltag/') ||
        folded === 'aws:sourceidentity' ||
        folded === 'aws:federatedprovider'
      return (
        keys[folded] ??
        (isOfSessions ? { presence: 'sometimes', shape: 'single', values: text } : undefined)
      )
    },
    caller(value) {
      const principalId = value('aws:userid') ?? `${anyRoleId}:any-session`
      const roleArn = value('aws:principalarn') ?? `${prefix}any`
      const [, roleId = '', session = ''] = idForm.exec(principalId) ?? []
      const [, roleName] = roleForm.exec(roleArn) ?? []
      if (roleId === '' || known.has(roleId) || roleName === undefined) return undefined
      const arn = `arn:aws:sts::${account}:assumed-role/${roleName}/${session}`
      return { type: 'role-session', account, arn, principalId, accessKeyId: '', roleArn, roleId }
    },
  }
}

/** Those whom the deployment does not have yet, account by account. */
export function othersOf({ accounts, users, roles }: AnalysisWorld): readonly Principal[] {
  return accounts.flatMap((account) => [
    otherPrincipal(account, users, 'other'),
    otherSession(account, roles, 'other'),
    otherPrincipal(account, users, 'appointed'),
    otherSession(account, roles, 'appointed'),
  ])
}
