import { newSecretAccessKey, newUniqueId } from '../../../identities/unique-id.ts'
import { string, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { credentialOwner, ownerCheck, ownerResource, presentOwner } from '../credential-owner.ts'
import type { IamDeps } from '../deps.ts'
import { quotaExceeded } from '../errors.ts'
import * as shapes from '../shapes.ts'

/** The one time that anybody sees the secret: what is kept of it opens in the key core alone. */
export const createAccessKey = operation({
  name: 'CreateAccessKey',
  input: structure({ UserName: shapes.existingUserName }),
  output: structure({
    AccessKey: structure({
      UserName: string(),
      AccessKeyId: string(),
      Status: shapes.accessKeyStatus,
      SecretAccessKey: string({ sensitive: true }),
      CreateDate: timestamp(),
    }),
  }),
  effects: 'write',
  errors: ['limit-exceeded', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => credentialOwner(call, request.UserName, deps),
  checks: (call, _request, owner) => [ownerCheck(call, 'iam:CreateAccessKey', owner)],
  audit: {
    request: (request) => ({ userName: request.UserName }),
    response: ({ AccessKey }) => ({
      accessKey: {
        userName: AccessKey?.UserName,
        accessKeyId: AccessKey?.AccessKeyId,
        status: AccessKey?.Status,
        createDate: new Date(AccessKey?.CreateDate ?? 0).toISOString(),
      },
    }),
    resources: ownerResource,
  },
  async handle(call, _request, owner, { identities, hsm, random, limits }) {
    const user = presentOwner(owner)
    const { account } = call.caller
    const present = identities.accessKeysOf(account, user?.userId)
    if (present.length >= limits.accessKeysPerUser) {
      throw quotaExceeded('AccessKeysPerUser', limits.accessKeysPerUser)
    }
    const accessKeyId = newUniqueId('AKIA', random)
    const secret = newSecretAccessKey(random)
    const sealedSecret = await sealed(hsm, accessKeyId, secret)
    const status = 'Active' as const
    const key = { accessKeyId, account, userId: user?.userId, status, sealedSecret }
    // With these unchanged, neither the user is gone nor is there another new key: the root user has no record.
    const rests = user === undefined ? [] : [identities.users.touch(user)]
    const others = present.map((each) => identities.replaceAccessKey(each, each))
    return {
      output: {
        AccessKey: {
          UserName: user?.userName,
          AccessKeyId: accessKeyId,
          Status: status,
          SecretAccessKey: secret,
          CreateDate: call.now,
        },
      },
      changes: [identities.addAccessKey({ ...key, createdAt: call.now }), ...rests, ...others],
    }
  },
})

async function sealed(hsm: IamDeps['hsm'], accessKeyId: string, secret: string): Promise<string> {
  const bytes = Buffer.from(secret, 'utf8')
  try {
    return await hsm.sealSecret(accessKeyId, bytes)
  } finally {
    bytes.fill(0)
  }
}
