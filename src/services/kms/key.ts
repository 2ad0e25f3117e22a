import { type AccountId, type KeyId, keyArn, type Region } from '../../base/ids.ts'
import type { KeySpec, KeyUsage } from '../../hsm/key-specs.ts'
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
  readonly keySpec: KeySpec
  readonly keyUsage: KeyUsage
  readonly origin: 'AWS_KMS' | 'EXTERNAL'
  /** Absent: CUSTOMER. A key that a service of AWS's name made for itself is not its account's to change. */
  readonly manager?: 'AWS' | undefined
  readonly multiRegion: boolean
  /** Of multi-Region keys alone: every one of them knows where its primary is. */
  readonly replication?: Replication | undefined
  /** The text of the key policy, its principals by their unique ids. */
  readonly policy: string
  /** In the order of their keys. */
  readonly tags: readonly Tag[]
  /** The material that encrypts or signs; older ones still decrypt. Absent until material was imported. */
  readonly currentMaterialId?: string | undefined
  /** SPKI in DER, base64; of asymmetric keys that have, or once had, material. */
  readonly publicKey?: string | undefined
  /** Every material that belongs to the key, the oldest first. Absent: the one that the key was made with. */
  readonly materials?: readonly MaterialEntry[] | undefined
  /** When the next of its imported materials expires, pending ones included; ms since the epoch. */
  readonly nextExpiry?: number | undefined
  /** Absent: it does not rotate by itself. */
  readonly rotation?: Rotation | undefined
  /** How many rotations were asked for, ever. */
  readonly onDemandRotations?: number | undefined
  /** Set while the key is pending deletion. A primary that waits for its replicas to go has no date yet. */
  readonly deletion?: Deletion | undefined
}

export type Replication = { readonly type: 'PRIMARY' | 'REPLICA'; readonly primaryRegion: Region }

export type Rotation = {
  readonly periodInDays: number
  /** ms since the epoch */
  readonly nextDate: number
}

export type Deletion = { readonly date?: number | undefined; readonly windowInDays: number }

/** One material of a key, and how it came to be. */
export type MaterialEntry = {
  readonly materialId: string
  readonly state:
    | 'CURRENT'
    | 'NON_CURRENT'
    | 'PENDING_ROTATION'
    | 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
  /** Absent for the first material and for a pending one. */
  readonly rotatedAt?: number | undefined
  readonly rotationType?: 'AUTOMATIC' | 'ON_DEMAND' | undefined
  /** Of imported material. */
  readonly imported?: Imported | undefined
}

export type Imported = {
  /** PENDING_IMPORT: it expired or was deleted, and can be imported again. */
  readonly state: 'IMPORTED' | 'PENDING_IMPORT'
  readonly description?: string | undefined
  /** ms since the epoch; absent: it does not expire. */
  readonly validTo?: number | undefined
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
    const resource = { type: 'key', arn, account, policy } as const
    const managed = key.manager === 'AWS' ? { awsManaged: true } : {}
    view = {
      arn,
      own: { ...resource, crossAccount: false, ...managed },
      shared: { ...resource, crossAccount: true, ...managed },
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
