import { type AccountId, parseAccountId } from '../base/ids.ts'
import { commitRecorded } from '../record/commit.ts'
import type { Input } from './command-input.ts'
import type { OperatorDeps } from './commands.ts'
import { operatorEvent } from './event.ts'
import type { QuotaDefinition } from './quotas.ts'
import { type Command, OperatorError } from './socket.ts'

/** Quotas, as the operator reads and sets them. A change acts on the next call and is recorded. */
export function quotaCommands(deps: OperatorDeps): Readonly<Record<string, Command>> {
  return {
    'quota-list': async () => listQuotas(deps),
    'quota-set': (input) => setQuota(deps, input),
    'quota-unset': (input) => unsetQuota(deps, input),
  }
}

function listQuotas({ quotas }: OperatorDeps) {
  const settings = quotas.settings()
  return {
    quotas: [...quotas.definitions].map(({ name, initial, aws, meaning }) => ({
      ...{ name, meaning, aws },
      value: quotas.value(name) ?? initial,
      accounts: settings
        .filter((setting) => setting.name === name && setting.account !== undefined)
        .map(({ account, value }) => ({ account, value })),
    })),
  }
}

async function setQuota(deps: OperatorDeps, input: Input) {
  const { name, perAccount } = definitionOf(deps, input)
  const account = accountOf(deps, input, perAccount)
  const value = Number(input['value'])
  if (!(value >= 0 && value <= 1_000_000_000)) {
    throw new OperatorError('A quota is a number from 0 to 1000000000.')
  }
  if (!perAccount && !Number.isInteger(value)) {
    throw new OperatorError(`${name} is a whole number.`)
  }
  const details = { name, value, account: account ?? 'all' }
  const event = operatorEvent(deps, input, { name: 'SetQuota', details })
  await commitRecorded(deps, [deps.quotas.set(name, account, value)], [event])
  return { name, account, value }
}

async function unsetQuota(deps: OperatorDeps, input: Input) {
  const { name, perAccount } = definitionOf(deps, input)
  const account = accountOf(deps, input, perAccount)
  const change = deps.quotas.unset(name, account)
  if (change !== undefined) {
    const details = { name, account: account ?? 'all' }
    const event = operatorEvent(deps, input, { name: 'UnsetQuota', details })
    await commitRecorded(deps, [change], [event])
  }
  return { name, account, value: deps.quotas.value(name) }
}

function definitionOf({ quotas }: OperatorDeps, input: Input): QuotaDefinition {
  const definition = quotas.definition(String(input['name']))
  if (definition === undefined) {
    throw new OperatorError(`There is no quota '${input['name']}'; "kagiban quota list" shows all.`)
  }
  return definition
}

function accountOf(deps: OperatorDeps, input: Input, perAccount: boolean): AccountId | undefined {
  if (input['account'] === undefined) return undefined
  const account = parseAccountId(String(input['account']))
  if (account === undefined || !deps.accounts.exists(account)) {
    throw new OperatorError(`There is no account ${input['account']}.`)
  }
  if (!perAccount) throw new OperatorError(`${input['name']} holds for all accounts alike.`)
  return account
}
