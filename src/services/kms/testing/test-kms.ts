import assert from 'node:assert/strict'
import type { Caller } from '../../../base/caller.ts'
import { type ErrorCode, ServiceError } from '../../../base/errors.ts'
import { type AccountId, type Region, rootArn } from '../../../base/ids.ts'
import { createMemoryStore } from '../../../storage/memory/store.ts'
import { Mirror } from '../../../storage/mirror.ts'
import type { Put } from '../../../storage/port.ts'
import type { AuditResource, CallContext, Check, JsonObject, Result } from '../../operation.ts'
import { defaultLimits, type KmsDeps, type KmsLimits, type PolicyChange } from '../deps.ts'
import type { KeyRecord } from '../key.ts'
import { kmsOperations } from '../operations/table.ts'
import { KmsState } from '../state.ts'
import { FakeHsm, hsmOf, parseFakeBlob } from './fake-hsm.ts'

export const region = 'us-east-1' as Region
export const account = '111122223333' as AccountId
export const otherAccount = '444455556666' as AccountId

export function rootOf(owner: AccountId): Caller {
  return {
    type: 'root',
    account: owner,
    arn: rootArn(owner),
    principalId: owner,
    accessKeyId: 'AKIDEXAMPLE',
  }
}

export type Setting = {
  readonly caller?: Caller
  readonly region?: Region
  /** Stands for authorization: what it answers true for is denied. */
  readonly deny?: (check: Check) => boolean
}

/** What tests look at by name is named here; all else is there as well. */
export type Output = Readonly<Record<string, unknown>> & {
  readonly Aliases?: readonly { readonly AliasName: string }[]
  readonly CiphertextBlob?: Buffer
  readonly KeyMetadata?: Readonly<Record<string, unknown>>
  readonly Plaintext?: Buffer
}

export type Answer = {
  readonly output: Output | undefined
  readonly failure: ServiceError | undefined
  readonly checks: readonly Check[]
  readonly changes: readonly Put[]
  readonly recorded: {
    readonly request: JsonObject | null
    readonly response: JsonObject | null
    readonly resources: readonly AuditResource[] | undefined
    readonly additional: JsonObject | undefined
  }
}

/** Errors that every operation may answer. */
const commonErrors: readonly ErrorCode[] = ['access-denied', 'validation']

/** A policy that this one would lock its caller out of; nothing else is looked at. */
export const lockingPolicy = '{"locks":"out"}'
export const malformedPolicy = 'no policy at all'

/** KMS with a store in memory and a fake key core: runs operations as the pipeline does. */
export class TestKms {
  readonly mirror = new Mirror(createMemoryStore())
  readonly state = new KmsState(this.mirror)
  readonly hsm = new FakeHsm()
  readonly policyChanges: PolicyChange[] = []
  /** The JSON text of everything that was recorded. */
  readonly records: string[] = []
  readonly deps: KmsDeps
  now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  #uuids = 0

  constructor(limits: Partial<KmsLimits> = {}) {
    this.deps = {
      state: this.state,
      hsm: hsmOf(this.hsm),
      random: {
        bytes: (count) => Buffer.alloc(count),
        uuid: () => `00000000-0000-4000-8000-${String(++this.#uuids).padStart(12, '0')}`,
      },
      parseBlob: parseFakeBlob,
      policies: {
        defaultKeyPolicy: (owner) => `{"default":"${owner}"}`,
        admitKeyPolicy: (text, change) => this.#admit(text, change),
      },
      limits: { ...defaultLimits, ...limits },
    }
  }

  async call(name: string, input: object, setting: Setting = {}): Promise<Answer> {
    const operation = kmsOperations.get(name)
    assert.ok(operation, `no operation ${name}`)
    const call = this.context(setting)
    let target: unknown
    let resolved = false
    const checks: Check[] = []
    let result: Result<unknown> | undefined
    let failure: ServiceError | undefined
    try {
      target = operation.resolve(call, input, this.deps)
      resolved = true
      for (const check of operation.checks(call, input, target)) {
        checks.push(check)
        if (setting.deny?.(check) === true) throw new ServiceError('access-denied', 'denied')
      }
      result = await operation.handle(call, input, target, this.deps)
      await this.commit(result?.changes ?? [])
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      failure = error
      const allowed = [...commonErrors, ...operation.errors]
      assert.ok(allowed.includes(error.code), `${name} may not answer '${error.code}'`)
    }
    const output = failure === undefined ? result?.output : undefined
    const { audit } = operation
    const recorded = {
      request: audit.request(input, target),
      response: failure ? null : (audit.response?.(output, input, target) ?? null),
      resources: resolved ? audit.resources?.(target, input, output) : undefined,
      additional: failure ? undefined : audit.additional?.(output, input, target),
    }
    this.records.push(JSON.stringify({ name, ...recorded, error: failure?.publicMessage }))
    const changes = failure ? [] : (result?.changes ?? [])
    return { output: output as Answer['output'], failure, checks, changes, recorded }
  }

  /** The output of a call that has to succeed. */
  async ok(name: string, input: object, setting?: Setting): Promise<Output> {
    const { output, failure } = await this.call(name, input, setting)
    if (failure !== undefined) throw failure
    return output ?? {}
  }

  /** Code and text of the failure of a call that has to fail. */
  async fails(name: string, input: object, setting?: Setting): Promise<[ErrorCode, string?]> {
    const { failure } = await this.call(name, input, setting)
    assert.ok(failure, `${name} should have failed`)
    const { code, publicMessage } = failure
    return publicMessage === undefined ? [code] : [code, publicMessage]
  }

  /** A new key, as its record. */
  async key(input: object = {}, setting: Setting = {}): Promise<KeyRecord> {
    const { KeyMetadata } = await this.ok('CreateKey', input, setting)
    return this.record((KeyMetadata as { KeyId: string }).KeyId, setting.region)
  }

  record(keyId: string, within: Region = region): KeyRecord {
    const key = this.state.key(within, keyId)
    assert.ok(key, `no key ${keyId}`)
    return key
  }

  /** Changes a key behind the operations' back. */
  async change(key: KeyRecord, members: Partial<KeyRecord>): Promise<KeyRecord> {
    const before = this.record(key.keyId, key.region)
    await this.commit([this.state.replaceKey(before, { ...before, ...members })])
    return this.record(key.keyId, key.region)
  }

  async commit(changes: readonly Put[]): Promise<void> {
    if (changes.length > 0) await this.mirror.commit(changes, [])
  }

  context(setting: Setting = {}): CallContext {
    return {
      caller: setting.caller ?? rootOf(account),
      region: setting.region ?? region,
      now: this.now,
      requestId: 'request',
      globalConditions: { 'aws:SourceIp': '127.0.0.1' },
    }
  }

  #admit(text: string, change: PolicyChange): void {
    this.policyChanges.push(change)
    if (text === malformedPolicy) throw new ServiceError('malformed-policy', 'not a policy')
    if (text === lockingPolicy && !change.bypassLockoutSafetyCheck) {
      throw new ServiceError('malformed-policy', 'locked out')
    }
  }
}
