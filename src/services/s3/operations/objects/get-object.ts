import { ObjectOpener } from '../../../../objects/encryption/open.ts'
import type { OpenObject } from '../../../../objects/port.ts'
import type { BodyStream } from '../../../../wire/protocol.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { stream, structure } from '../../../../wire/schema.ts'
import { type CallContext, operation } from '../../../operation.ts'
import { plaintextAnswer } from '../../answer-stream.ts'
import { decodeAttributes, type ObjectAttributes } from '../../attributes.ts'
import { requireReadConditions } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import { wipeCustomerKey } from '../../encryption/customer-key.ts'
import { dataKeysOf, wipeKeys } from '../../encryption/data-keys.ts'
import { customerKeyOf } from '../../encryption/request.ts'
import { requireDecidedTags } from '../../existing-tags.ts'
import {
  openingRange,
  type ReadInput,
  readAnswer,
  readInput,
  readOutput,
  type Selection,
  selectionOf,
  unchangedHeaders,
} from '../../object-read.ts'
import { found, type ObjectName, requireBytes } from '../../object-versions.ts'
import { s3Refusal } from '../../refusals.ts'
import { readingAudit, readingChecks, readingErrors, resolveReading } from './reading.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export const getObject = operation({
  name: 'GetObject',
  input: structure(readInput),
  output: structure({ ...readOutput, Body: payload(stream()) }),
  effects: 'read',
  category: 'data',
  errors: readingErrors,
  resolve: resolveReading,
  checks: readingChecks,
  audit: readingAudit,
  async handle(call, input, target, deps) {
    const { bucket } = target
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const which = { versionId: input.VersionId, range: openingRange(input) }
    const opening = deps.objects.open(bucket.storeId, input.Key, which)
    const object = await found(opening, call, name, deps)
    try {
      const { version } = object
      requireBytes(version, 'GET', call, name, deps)
      requireDecidedTags(call, version.tagging)
      const attributes = decodeAttributes(version.attributes)
      target.learnt.encryption = attributes.encryption
      requireReadConditions(input, version, () => unchangedHeaders(bucket, version, attributes))
      const selection = selectionOf(input, version, attributes)
      const answer = readAnswer(call, input, name, version, attributes, selection, deps)
      const Body = await bodyOf(call, input, name, object, attributes, selection, deps)
      return { output: { ...answer, Body } }
    } catch (error) {
      await object.close()
      throw s3Refusal(error)
    }
  },
})

/** Keys before the first byte: who may not decrypt is answered with a refusal. */
async function bodyOf(
  call: CallContext,
  input: ReadInput,
  { bucket, key }: ObjectName,
  object: OpenObject,
  { encryption }: ObjectAttributes,
  selection: Selection,
  deps: S3Deps,
): Promise<BodyStream> {
  const { sidecar, versionId } = object.version
  const customer = customerKeyOf(call, input)
  try {
    const dataKeys = await dataKeysOf(call, encryption, sidecar, { bucket, key }, customer, deps)
    let opener: ObjectOpener
    try {
      opener = new ObjectOpener(sidecar, dataKeys, { bucket: bucket.storeId, key, versionId })
    } finally {
      wipeKeys(dataKeys)
    }
    return await plaintextAnswer(object, opener, selection)
  } finally {
    wipeCustomerKey(customer)
  }
}
