import { type AccountId, type KeyId, keyArn, type Region } from '../../base/ids.ts'
import type { Resource } from '../operation.ts'
import type { Tag } from './tags.ts'

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export const keyStates = [
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'PendingImport',
  'Unavailable',
  'Creating',
  'Updating',
] as const
export type KeyState = (typeof keyStates)[number]

/** A KMS key as the store keeps it; its material stands beside it. Nobody changes a record in place. */
export type KeyRecord = {
  readonly region: Region
  readonly account: AccountId
  readonly keyId: KeyId
  /** ms since the epoch */
  readonly createdAt: number
  readonly description: string
  readonly state: KeyState
  readonly keySpec: 'SYMMETRIC_DEFAULT'
  readonly keyUsage: 'ENCRYPT_DECRYPT'
  readonly origin: 'AWS_KMS'
  readonly multiRegion: false
  /** The text of the key policy, as it was put. */
  readonly policy: string
  /** In the order of their keys. */
  readonly tags: readonly Tag[]
  /** The material that encrypts; older ones still decrypt. */
  readonly currentMaterialId: string
  /** Set while the key is pending deletion. */
  readonly deletion?: { readonly date: number; readonly windowInDays: number } | undefined
}

type KeyView = {
  readonly arn: string
  readonly own: Resource
  readonly shared: Resource
}

/** What is derived from a record and asked for by every call on it; lives as long as the record. */
const views = new WeakMap<KeyRecord, KeyView>()

function viewOf(key: KeyRecord): KeyView {
  let view = views.get(key)
  if (view === undefined) {
    const arn = keyArn(key.region, key.account, key.keyId)
    const { account, policy } = key
    view = {
      arn,
      own: { type: 'key', arn, account, policy, crossAccount: false },
      shared: { type: 'key', arn, account, policy, crossAccount: true },
    }
    views.set(key, view)
  }
  return view
}

export function arnOf(key: KeyRecord): string {
  return viewOf(key).arn
}

/** The key as the thing a permission is about. `crossAccount`: whether AWS lets other accounts make this call. */
export function resourceOf(key: KeyRecord, crossAccount: boolean): Resource {
  const view = viewOf(key)
  return crossAccount ? view.shared : view.own
}
