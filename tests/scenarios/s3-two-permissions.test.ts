import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { auditExport } from '../support/cli.ts'
import { clientsOf } from '../support/clients.ts'
import { present } from '../support/expect.ts'
import { addUser, documentOf } from '../support/iam-people.ts'
import { clientOf } from '../support/s3-world.ts'
import { TestServer } from '../support/server.ts'

const at = { Bucket: 'payroll', Key: 'march.csv' }

test('an object is read by who may use the bucket and the key; the record shows both, joined', async () => {
  const server = await TestServer.start()
  const clients = clientsOf(server)
  const owner = clientOf(server)
  try {
    const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({}))
    const keyArn = present(KeyMetadata?.Arn)
    await owner.send(new CreateBucketCommand({ Bucket: at.Bucket }))
    const byDefault = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: keyArn }
    await owner.send(
      new PutBucketEncryptionCommand({
        Bucket: at.Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: byDefault }],
        },
      }),
    )
    const put = await owner.send(new PutObjectCommand({ ...at, Body: 'salaries' }))
    assert.equal(put.SSEKMSKeyId, keyArn)

    const person = await addUser(clients.iam, 'carol')
    const allow = (statements: readonly object[]) =>
      clients.iam.send(
        new PutUserPolicyCommand({
          ...{ UserName: 'carol', PolicyName: 'own' },
          PolicyDocument: documentOf(statements.map((each) => ({ Effect: 'Allow', ...each }))),
        }),
      )
    const everything = { Action: 's3:*', Resource: '*' }
    await allow([everything])
    const carol = clientOf(server, person.credentials)
    const read = async () => {
      const { Body } = await carol.send(new GetObjectCommand(at))
      return present(Body).transformToString()
    }
    const denied = await refusal(read())
    assert.deepEqual([denied.name, denied.$metadata.httpStatusCode], ['AccessDenied', 403])
    await allow([everything, { Action: 'kms:Decrypt', Resource: keyArn }])
    assert.equal(await read(), 'salaries')
    // Taken away again, on the very next call.
    await allow([everything])
    assert.equal((await refusal(read())).name, 'AccessDenied')

    await clients.kms.send(new DisableKeyCommand({ KeyId: keyArn }))
    const disabled = await refusal(owner.send(new GetObjectCommand(at)))
    assert.equal(disabled.name, 'KMS.DisabledException')
    assert.equal(disabled.message, `${keyArn} is disabled.`)
    assert.equal(disabled.$metadata.httpStatusCode, 400)
    await clients.kms.send(new EnableKeyCommand({ KeyId: keyArn }))
    carol.destroy()

    const record = await auditExport(server.data)
    const reads = record.filter(
      (event) => event.eventName === 'GetObject' && event.userIdentity.arn === person.arn,
    )
    assert.deepEqual(
      reads.map(({ errorCode }) => errorCode),
      ['AccessDenied', undefined, 'AccessDenied'],
    )
    for (const event of reads) {
      const joined = record.filter(
        ({ additionalEventData }) =>
          additionalEventData?.['callingRequestID'] === present(event.requestID),
      )
      assert.equal(joined.length, 1)
      const [decrypt] = joined
      assert.equal(decrypt?.eventName, 'Decrypt')
      assert.equal(decrypt?.userIdentity.arn, person.arn)
      assert.equal(decrypt?.errorCode === undefined, event.errorCode === undefined)
      assert.deepEqual(decrypt?.requestParameters?.['encryptionContext'], {
        'aws:s3:arn': `arn:aws:s3:::${at.Bucket}/${at.Key}`,
      })
    }
  } finally {
    owner.destroy()
    clients.destroy()
    await server.discard()
  }
})

async function refusal(answer: Promise<unknown>): Promise<S3ServiceException> {
  try {
    await answer
  } catch (error) {
    if (error instanceof S3ServiceException) return error
    throw error
  }
  throw new Error('it was not refused')
}
