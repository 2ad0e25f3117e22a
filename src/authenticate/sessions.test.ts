import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import type { HttpRequest } from '../wire/protocol.ts'
import type { SessionRecord } from './authenticator.ts'
import { bench, caller, record, refusal, withKey } from './testing/bench.ts'
import { sign, withHeader } from './testing/signer.ts'

const accessKeyId = 'ASIAEXAMPLE'
const role = { ...caller, type: 'role-session' } as const
const token = ['X-Amz-Security-Token', 'abc'] as const
const request = sign({ headers: [token] }, { ...withKey, accessKeyId })
const scoped = (service: string, region = 'us-east-1') =>
  sign({ headers: [token] }, { ...withKey, accessKeyId, service, region })

/** An authenticator that has to ask for the session, as it is then. */
function asking(answer: () => Promise<SessionRecord | undefined>) {
  let asked = 0
  const session = () => {
    asked++
    return answer()
  }
  return { ...bench({ session, services: new Set(['kms', 'sts', 'iam']) }), asked: () => asked }
}

const session = (change: Partial<SessionRecord> = {}): SessionRecord => ({
  ...record({ accessKeyId, caller: role }),
  expiresAt: Number.MAX_SAFE_INTEGER,
  ...change,
})

describe('a session that has to be asked for', () => {
  test('is accepted, and the caller is the one that was answered', async () => {
    const { authenticator } = asking(async () => session())
    const verified = authenticator.verify(request)
    assert.ok(verified instanceof Promise)
    assert.equal((await verified).caller, role)
  })

  test('is refused as one that is known', async () => {
    const cases: readonly [SessionRecord | undefined, string][] = [
      [undefined, 'unrecognized-client'],
      [session({ status: 'Inactive' }), 'unrecognized-client'],
      [session({ expiresAt: 1 }), 'expired-token'],
    ]
    for (const [answer, code] of cases) {
      const { authenticator } = asking(async () => answer)
      assert.equal((await refusal(authenticator, request)).code, code)
    }
    const failing = asking(() => Promise.reject(new ServiceError('unavailable')))
    assert.equal((await refusal(failing.authenticator, request)).code, 'unavailable')
  })

  test('is refused with a wrong signature or a wrong body hash, and no promise is left', async () => {
    const { authenticator } = asking(async () => session())
    const spoiled: HttpRequest = { ...request, body: Buffer.from('{ }') }
    assert.equal((await refusal(authenticator, spoiled)).code, 'invalid-signature')
    const hashed = sign(
      { headers: [token, ['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD']] },
      { ...withKey, accessKeyId },
    )
    const failing = asking(() => Promise.reject(new ServiceError('unavailable')))
    assert.equal((await refusal(authenticator, hashed)).code, 'invalid-signature')
    assert.equal((await refusal(failing.authenticator, hashed)).code, 'unavailable')
  })

  test('is looked at again once its signing key is there', async () => {
    let present: SessionRecord | undefined = session()
    const { authenticator, asked } = asking(async () => {
      const answer = present
      present = undefined
      return answer
    })
    assert.equal((await refusal(authenticator, request)).code, 'unrecognized-client')
    assert.equal(asked(), 2)
  })
})

test('a session that is known costs no promise', async () => {
  const { authenticator, sessions } = bench()
  sessions.set('ASIAEXAMPLE abc', session())
  await authenticator.verify(request)
  assert.ok(!(authenticator.verify(request) instanceof Promise))
})

test('the token must be among the signed headers', async () => {
  const { authenticator, sessions } = bench()
  sessions.set('ASIAEXAMPLE abc', session())
  const unsigned = sign(
    { headers: [token], signed: ['host', 'x-amz-date'] },
    { ...withKey, accessKeyId },
  )
  const error = await refusal(authenticator, unsigned)
  assert.equal(error.code, 'invalid-signature')
  assert.equal(error.detail, 'unsigned header x-amz-security-token')
  const replaced = withHeader(request, 'x-amz-security-token', () => 'abd')
  assert.equal((await refusal(authenticator, replaced)).code, 'unrecognized-client')
})

test('what GetSessionToken gives is unknown to IAM; a role session is not', async () => {
  for (const [who, code] of [
    [caller, 'unrecognized-client'],
    [{ ...caller, type: 'root' } as const, 'unrecognized-client'],
    [role, undefined],
  ] as const) {
    const { authenticator } = asking(async () => session({ caller: who }))
    if (code === undefined) assert.equal((await authenticator.verify(scoped('iam'))).caller, who)
    else {
      const error = await refusal(authenticator, scoped('iam'))
      assert.equal(error.code, code)
      assert.equal(error.detail, 'a session of GetSessionToken in IAM')
    }
    assert.equal((await authenticator.verify(scoped('sts'))).caller, who)
  }
})

describe('the Region of the scope', () => {
  const served = async (service: string, region: string) => {
    const { authenticator } = bench({
      session: () => session(),
      regions: new Set(['eu-central-1', 'eu-west-1']),
      services: new Set(['kms', 'sts', 'iam', 'cloudtrail']),
    })
    try {
      return (await authenticator.verify(scoped(service, region))).region
    } catch (error) {
      assert.ok(error instanceof ServiceError)
      assert.equal(error.code, 'invalid-signature')
      return error.publicMessage
    }
  }
  const invalid = 'Credential should be scoped to a valid region. '
  const cases: readonly (readonly [string, string, string])[] = [
    ['kms', 'eu-west-1', 'eu-west-1'],
    ['kms', 'us-east-1', invalid],
    ['kms', 'us-west-2', invalid],
    ['sts', 'eu-west-1', 'eu-west-1'],
    ['sts', 'us-east-1', 'us-east-1'],
    ['sts', 'us-west-2', invalid],
    ['iam', 'us-east-1', 'us-east-1'],
    ['iam', 'eu-west-1', 'us-east-1'],
    ['iam', 'us-west-2', invalid],
    ['cloudtrail', 'us-east-1', 'us-east-1'],
  ]
  for (const [service, region, expected] of cases) {
    test(`${service} in ${region}: ${expected}`, async () => {
      assert.equal(await served(service, region), expected)
    })
  }
})

describe('the clock may be off', () => {
  for (const [service, minutes] of [
    ['kms', 5],
    ['sts', 15],
    ['iam', 15],
  ] as const) {
    test(`by ${minutes} minutes for ${service}`, async () => {
      const { authenticator, state } = asking(async () => session())
      const signed = scoped(service)
      state.now += minutes * 60_000
      await authenticator.verify(signed)
      state.now += 1000
      const late = await refusal(authenticator, signed)
      assert.equal(late.code, 'invalid-signature')
      assert.match(late.message, new RegExp(`^Signature expired: .* - ${minutes} min\\.\\)$`))
      state.now -= 2 * minutes * 60_000 + 2000
      const early = await refusal(authenticator, signed)
      assert.match(early.message, new RegExp(`^Signature not yet.* \\+ ${minutes} min\\.\\)$`))
    })
  }
})
