import assert from 'node:assert/strict'
import type { Caller } from '../../../base/caller.ts'
import { type ErrorCode, ServiceError } from '../../../base/errors.ts'
import { type AccountId, type Region, rootArn } from '../../../base/ids.ts'
import { parseBlob } from '../../../hsm/blob.ts'
import type { Hsm } from '../../../hsm/port.ts'
import { createMemoryStore } from '../../../storage/memory/store.ts'
import { Mirror } from '../../../storage/mirror.ts'
import type { Put } from '../../../storage/port.ts'
import type {
  AuditResource,
  CallContext,
  CallingService,
  Check,
  JsonObject,
  OwnEvent,
  Result,
} from '../../operation.ts'
import { actingFor } from '../../via.ts'
import { defaultLimits, type KmsDeps, type KmsLimits, type PolicyChange } from '../deps.ts'
import { Grants } from '../grants.ts'
import type { KeyRecord } from '../key.ts'
import type { KeyLastUse } from '../last-usage.ts'
import { kmsOperations } from '../operations/table.ts'
import { KmsState } from '../state.ts'
import { FakeHsm, hsmOf, parseFakeBlob } from './fake-hsm.ts'
import { TestPrincipals } from './test-principals.ts'

export const region = 'us-east-1' as Region
export const otherRegion = 'eu-central-1' as Region
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
  /** A service that makes the call for the caller. */
  readonly via?: CallingService
  /** Stands for authorization: what it answers true for is denied. */
  readonly deny?: (check: Check) => boolean
}

/** What tests look at by name is named here; all else is there as well. */
export type Output = Readonly<Record<string, unknown>> & {
  readonly Aliases?: readonly { readonly AliasName: string }[]
  readonly CiphertextBlob?: Buffer
  readonly KeyMetadata?: Readonly<Record<string, unknown>>
  readonly Plaintext?: Buffer
  readonly Signature?: Buffer
  readonly Mac?: Buffer
  readonly PublicKey?: Buffer
  readonly SharedSecret?: Buffer
  readonly SharedSecretCiphertextBlob?: Buffer
}

export type Answer = {
  readonly output: Output | undefined
  readonly failure: ServiceError | undefined
  readonly checks: readonly Check[]
  readonly changes: readonly Put[]
  /** What is recorded behind the call. */
  readonly events: readonly OwnEvent[]
  readonly recorded: {
    readonly request: JsonObject | null
    readonly response: JsonObject | null
    readonly resources: readonly AuditResource[] | undefined
    readonly additional: JsonObject | undefined
  }
}

/** Errors that every operation may answer. */
const commonErrors: readonly ErrorCode[] = ['access-denied', 'throttled', 'validation']

/** A policy that this one would lock its caller out of; nothing else is looked at. */
export const lockingPolicy = '{"locks":"out"}'
export const malformedPolicy = 'no policy at all'

export type TestOptions = {
  /** A key core in place of the fake one, which knows symmetric keys alone. */
  readonly hsm?: Hsm
  readonly regions?: readonly Region[]
}

/** KMS with a store in memory and a fake key core: runs operations as the pipeline does. */
export class TestKms {
  readonly mirror = new Mirror(createMemoryStore())
  readonly state = new KmsState(this.mirror)
  readonly grants = new Grants(this.mirror, this.state)
  /** What the audit record knows of each key, by its ARN. */
  readonly uses = new Map<string, KeyLastUse>()
  /** The fake key core, unless there is another. */
  readonly hsm = new FakeHsm()
  readonly principals = new TestPrincipals([account, otherAccount])
  readonly policyChanges: PolicyChange[] = []
  /** The JSON text of everything that was recorded. */
  readonly records: string[] = []
  readonly deps: KmsDeps
  now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  #uuids = 0
  #randoms = 0

  #regionsMade: Promise<unknown> | undefined

  constructor(limits: Partial<KmsLimits> = {}, options: TestOptions = {}) {
    const { hsm, regions = [region, otherRegion] } = options
    this.deps = {
      state: this.state,
      hsm: hsm ?? hsmOf(this.hsm),
      random: {
        bytes: (count) => {
          const bytes = Buffer.alloc(count)
          bytes.writeUIntBE(++this.#randoms, count - Math.min(6, count), Math.min(6, count))
          return bytes
        },
        uuid: () => `00000000-0000-4000-8000-${String(++this.#uuids).padStart(12, '0')}`,
      },
      parseBlob: hsm === undefined ? parseFakeBlob : parseBlob,
      policies: {
        defaultKeyPolicy: (owner) => `{"default":"${owner}"}`,
        admitKeyPolicy: (text, change) => this.#admit(text, change),
        shownKeyPolicy: (text) => text,
        accountExists: (id) => id === account || id === otherAccount,
        principals: this.principals,
      },
      limits: { ...defaultLimits, ...limits },
      regions,
      grants: this.grants,
      lastUsage: async (_account, keyArn) => this.uses.get(keyArn),
    }
    if (hsm !== undefined) {
      this.#regionsMade = Promise.all(regions.map((one) => hsm.ensureRegion(one)))
    }
  }

  async call(name: string, input: object, setting: Setting = {}): Promise<Answer> {
    const operation = kmsOperations.get(name)
    assert.ok(operation, `no operation ${name}`)
    await this.#regionsMade
    const call = this.context(setting)
    let target: unknown
    let resolved = false
    const checks: Check[] = []
    let result: Result<unknown> | undefined
    let failure: ServiceError | undefined
    try {
      target = operation.resolve(call, input, this.deps)
      resolved = true
      for (const check of operation.checks(call, input, target, this.deps)) {
        checks.push(check)
        if (setting.deny?.(check) === true) throw new ServiceError('access-denied', 'denied')
      }
      result = await operation.handle(call, input, target, this.deps)
      if (result?.dryRun !== undefined) throw result.dryRun
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
    const events = failure ? [] : (result?.events ?? [])
    return { output: output as Answer['output'], failure, checks, changes, events, recorded }
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
    const call: CallContext = {
      caller: setting.caller ?? rootOf(account),
      region: setting.region ?? region,
      now: this.now,
      requestId: 'request',
      globalConditions: { 'aws:SourceIp': '127.0.0.1' },
    }
    return setting.via === undefined ? call : actingFor(call, setting.via)
  }

  #admit(text: string, change: PolicyChange): string {
    this.policyChanges.push(change)
    if (text === malformedPolicy) throw new ServiceError('malformed-policy', 'not a policy')
    if (text === lockingPolicy && !change.bypassLockoutSafetyCheck) {
      throw new ServiceError('malformed-policy', 'locked out')
    }
    return text
  }
}
