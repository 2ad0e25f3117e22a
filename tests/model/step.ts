import fc from 'fast-check'
import type { Kind } from './world.ts'

/**
 * One thing to do. It names keys, aliases, grants and ciphertexts by numbers of any size, which are taken modulo what
 * there is: a step has a meaning in every world, so that a sequence can lose steps and be a sequence still.
 */
export type Step =
  | { do: 'CreateKey'; kind: Kind; region: number; tagged: boolean }
  | { do: 'Encrypt' | 'GenerateDataKey'; key: number; by: Naming; context: Context }
  | { do: 'Decrypt'; ciphertext: number; region: number; named: Named; rightContext: boolean }
  | { do: 'ReEncrypt'; ciphertext: number; region: number; key: number; context: Context }
  | { do: 'Prove' | 'GetPublicKey'; key: number; by: Naming }
  | { do: 'VerifyProof'; proof: number; region: number; right: boolean }
  | { do: 'EnableKey' | 'DisableKey' | 'CancelKeyDeletion'; key: number; by: Naming }
  | { do: 'ScheduleKeyDeletion'; key: number; by: Naming; days: number | undefined }
  | { do: 'UpdateKeyDescription'; key: number; by: Naming; text: number }
  | { do: 'CreateAlias' | 'UpdateAlias'; name: number; key: number; by: Naming }
  | { do: 'DeleteAlias'; name: number; region: number }
  | { do: 'TagResource' | 'UntagResource'; key: number; by: Naming; tag: number; value: number }
  | { do: 'CreateGrant'; key: number; by: Naming; named: boolean; what: number; grantee: number }
  | { do: 'RevokeGrant'; grant: number; key: number }
  | { do: 'RetireGrant'; grant: number; byToken: boolean }
  | { do: 'EnableKeyRotation'; key: number; by: Naming; period: number | undefined }
  | { do: 'DisableKeyRotation' | 'RotateKeyOnDemand'; key: number; by: Naming }
  | { do: 'ReplicateKey' | 'UpdatePrimaryRegion'; key: number; by: Naming; region: number }
  | { do: 'GetParametersForImport'; key: number; by: Naming }
  | {
      do: 'ImportKeyMaterial'
      key: number
      /** Which material: 0 and 1 are often tried again. */
      bytes: number
      type: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' | undefined
      days: number | undefined
    }
  | { do: 'DeleteImportedKeyMaterial'; key: number; material: number | undefined }
  | { do: 'Advance'; hours: number }

/** The steps that do that. */
export type StepOf<D extends Step['do'], S = Step> = S extends Step
  ? D extends S['do']
    ? S
    : never
  : never

/** How a call names its key. */
export type Naming = 'id' | 'arn' | 'alias' | 'alias ARN' | 'ARN of another Region'
/** Which key a Decrypt names. */
export type Named = 'none' | 'the right one' | number
export type Context = 'none' | 'a' | 'b'

const index = fc.nat(59)
const key = index
const region = fc.constantFrom(0, 0, 0, 1, 2)
const by: fc.Arbitrary<Naming> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Naming>('id') },
  { weight: 6, arbitrary: fc.constant<Naming>('arn') },
  { weight: 2, arbitrary: fc.constant<Naming>('alias') },
  { weight: 1, arbitrary: fc.constant<Naming>('alias ARN') },
  { weight: 1, arbitrary: fc.constant<Naming>('ARN of another Region') },
)
const context = fc.constantFrom<Context>('none', 'a', 'b')
const kind = fc.constantFrom<Kind>(
  ...(['symmetric', 'symmetric', 'symmetric', 'multi-Region', 'multi-Region'] as const),
  ...(['hmac', 'ecc'] as const),
)

function doing<const D extends Step['do']>(...names: readonly D[]): { do: fc.Arbitrary<D> } {
  return { do: fc.constantFrom(...names) }
}

type Weighted = readonly [weight: number, arbitrary: fc.Arbitrary<Step>]

const general: readonly Weighted[] = [
  [8, fc.record({ ...doing('CreateKey'), kind, region, tagged: fc.boolean() })],
  [10, fc.record({ ...doing('Encrypt', 'GenerateDataKey'), key, by, context })],
  [
    10,
    fc.record({
      ...doing('Decrypt'),
      ciphertext: index,
      region: fc.nat(8),
      named: fc.oneof(fc.constantFrom<Named>('none', 'none', 'the right one'), index),
      rightContext: fc.constantFrom(true, true, true, true, false),
    }),
  ],
  [4, fc.record({ ...doing('ReEncrypt'), ciphertext: index, region: fc.nat(2), key, context })],
  [2, fc.record({ ...doing('Prove', 'GetPublicKey'), key, by })],
  [
    4,
    fc.record({
      ...doing('VerifyProof'),
      proof: index,
      region,
      right: fc.constantFrom(true, true, false),
    }),
  ],
  [6, fc.record({ ...doing('EnableKey', 'DisableKey'), key, by })],
  [4, fc.record({ ...doing('CancelKeyDeletion'), key, by })],
  [
    5,
    fc.record({
      ...doing('ScheduleKeyDeletion'),
      key,
      by,
      days: fc.constantFrom(undefined, 7, 7, 8, 30, 6, 31),
    }),
  ],
  [1, fc.record({ ...doing('UpdateKeyDescription'), key, by, text: index })],
  [7, fc.record({ ...doing('CreateAlias', 'UpdateAlias'), name: fc.nat(2), key, by })],
  [2, fc.record({ ...doing('DeleteAlias'), name: fc.nat(2), region })],
  [
    3,
    fc.record({ ...doing('TagResource', 'UntagResource'), key, by, tag: fc.nat(3), value: index }),
  ],
  [
    6,
    fc.record({
      ...doing('CreateGrant'),
      key,
      by,
      named: fc.boolean(),
      what: fc.nat(4),
      grantee: fc.nat(2),
    }),
  ],
  [2, fc.record({ ...doing('RevokeGrant'), grant: index, key })],
  [2, fc.record({ ...doing('RetireGrant'), grant: index, byToken: fc.boolean() })],
  [
    4,
    fc.record({
      ...doing('EnableKeyRotation'),
      key,
      by,
      period: fc.constantFrom(undefined, 90, 90, 200, 89),
    }),
  ],
  [1, fc.record({ ...doing('DisableKeyRotation'), key, by })],
  [4, fc.record({ ...doing('RotateKeyOnDemand'), key, by })],
  [10, fc.record({ ...doing('ReplicateKey', 'UpdatePrimaryRegion'), key, by, region: fc.nat(2) })],
  [
    6,
    fc.record({ ...doing('Advance'), hours: fc.constantFrom(0, 1, 24, 24 * 7, 24 * 90, 24 * 400) }),
  ],
]

const importing: readonly Weighted[] = [
  [
    6,
    fc.record({
      ...doing('CreateKey'),
      kind: fc.constantFrom<Kind>('external', 'symmetric'),
      region: fc.constant(0),
      tagged: fc.boolean(),
    }),
  ],
  [2, fc.record({ ...doing('GetParametersForImport'), key, by })],
  [
    50,
    fc.record({
      ...doing('ImportKeyMaterial'),
      key,
      bytes: fc.constantFrom(0, 0, 0, 1, 1, 2),
      type: fc.constantFrom(undefined, 'NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL'),
      days: fc.constantFrom(undefined, undefined, 1, 20),
    }),
  ],
  [20, fc.record({ ...doing('RotateKeyOnDemand'), key, by })],
  [
    20,
    fc.record({
      ...doing('DeleteImportedKeyMaterial'),
      key,
      material: fc.constantFrom(undefined, 0, 1),
    }),
  ],
  [10, fc.record({ ...doing('Advance'), hours: fc.constantFrom(1, 24, 24 * 25) })],
]

function oneOf(...weighted: readonly Weighted[]): fc.Arbitrary<Step> {
  return fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })))
}

function sequenceOf(step: fc.Arbitrary<Step>, mean: number): fc.Arbitrary<Step[]> {
  return fc.noBias(fc.array(step, { maxLength: 2 * mean, size: 'max' }))
}

/** Any step, whatever kind of key it is about. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: oneOf(...general) },
  { weight: 1, arbitrary: oneOf(...importing) },
)

/** As long as `mean` steps on average. One in ten is about imported material, whose wrapping keys cost most. */
export function steps(mean: number): fc.Arbitrary<Step[]> {
  return fc.oneof(
    { weight: 9, arbitrary: sequenceOf(oneOf(...general), mean) },
    { weight: 1, arbitrary: sequenceOf(oneOf(...general, ...importing), mean) },
  )
}
