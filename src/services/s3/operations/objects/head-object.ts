import { header } from '../../../../wire/rest-xml/bindings.ts'
import { integer, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { decodeAttributes } from '../../attributes.ts'
import { requireReadConditions } from '../../conditional.ts'
import { requireDecidedTags } from '../../existing-tags.ts'
import { requireKeys } from '../../key-proof.ts'
import {
  isChecksumWanted,
  readAnswer,
  readInput,
  readOutput,
  selectionOf,
  unchangedHeaders,
} from '../../object-read.ts'
import { found, requireBytes } from '../../object-versions.ts'
import { readingAudit, readingChecks, readingErrors, resolveReading } from './reading.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export const headObject = operation({
  name: 'HeadObject',
  input: structure(readInput),
  output: structure({ ...readOutput, ContentLength: header('Content-Length', integer()) }),
  effects: 'read',
  category: 'data',
  errors: readingErrors,
  resolve: resolveReading,
  checks: readingChecks,
  audit: readingAudit,
  async handle(call, input, target, deps) {
    const { bucket } = target
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const heading = deps.objects.head(bucket.storeId, input.Key, input.VersionId)
    const version = await found(heading, call, name, deps)
    requireBytes(version, 'HEAD', call, name, deps)
    requireDecidedTags(call, version.tagging)
    const attributes = decodeAttributes(version.attributes)
    target.learnt.encryption = attributes.encryption
    requireReadConditions(input, version, () => unchangedHeaders(bucket, version, attributes))
    const selection = selectionOf(input, version, attributes)
    await requireKeys(call, input, name, version, isChecksumWanted(input, attributes), deps)
    const answer = readAnswer(call, input, name, version, attributes, selection, deps)
    return { output: { ...answer, ContentLength: selection.end - selection.start } }
  },
})
