import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { internalError } from '../base/errors.ts'
import { rootArn } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import { explanations } from '../explanations.ts'
import { account, House, otherAccount, region } from '../testing/house.ts'
import { s3Ok } from '../testing/s3-calls.ts'
import type { AccessKey } from './accounts.ts'
import type { CallExplanation } from './explain-call.ts'
import { explainCommands } from './explain-commands.ts'
import type { EventExplanation } from './explain-event.ts'

function commandsOf(house: House) {
  const commands = explainCommands({
    ...house,
    ...explanations(house.tables, house.assembly, house.store),
    random: systemRandom,
    lookup: { find: async () => ({ records: [], next: undefined }) },
    records: () => house.journal.records,
  })
  const run = (name: string, input: object) => {
    const command = commands[name]
    assert.ok(command !== undefined)
    return command({ operator: 'mona', ...input }, () => {})
  }
  return {
    run,
    event: (eventId: string) => run('explain-event', { eventId }) as Promise<EventExplanation>,
    call: (question: object) => run('explain-call', question) as Promise<CallExplanation>,
  }
}

const ownName = '$' + '{aws:username}'
const statement = (effect: string, more: object) => ({ Effect: effect, Action: 'kms:*', ...more })
const document = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements })
const keyPolicy = (...statements: object[]) =>
  JSON.stringify(document(...statements.map((each) => ({ Resource: '*', ...each }))))
const forAccount = statement('Allow', { Principal: { AWS: account } })

/** The decisions of the records of one answer, explained. */
async function explained(house: House, answer: Awaited<ReturnType<House['call']>>) {
  const { event } = commandsOf(house)
  const records = house.recordsOf(answer)
  return Promise.all(records.map(({ eventID }) => event(eventID)))
}

/** A call of STS. */
function query(house: House, action: string, key: AccessKey, input: Record<string, string>) {
  const body = new URLSearchParams({ Action: action, Version: '2011-06-15', ...input })
  const headers = [['Content-Type', 'application/x-www-form-urlencoded']] as const
  const sending = { key, service: 'sts', headers, body: Buffer.from(body.toString()) }
  return house.call(action, {}, sending)
}

/** Everything that decided a call is other than it was. */
async function turnRound(house: House): Promise<void> {
  const { identities, state } = house.tables
  const nobody = JSON.stringify(document({ Effect: 'Deny', Action: '*', Resource: '*' }))
  for (const key of [...state.keys.values()]) {
    const policy = keyPolicy(statement('Deny', { Principal: '*' }))
    await house.mirror.commit([state.replaceKey(key, { ...key, policy })], [])
  }
  for (const user of [...identities.users.all()]) {
    const inline = Object.fromEntries(Object.keys(user.inline).map((name) => [name, nobody]))
    await house.mirror.commit([identities.users.replace(user, { ...user, inline })], [])
  }
  for (const role of [...identities.roles.all()])
    await house.mirror.commit([identities.roles.remove(role)], [])
  for (const policy of [...identities.policies.all()])
    await house.mirror.commit([identities.policies.remove(policy)], [])
}

describe('the record of a call', () => {
  test('explains it as it was, whatever has changed since', async (t) => {
    const { house, answers } = await manyCalls(t)
    await turnRound(house)
    let decisions = 0
    const reasons = new Set<string>()
    for (const answer of answers) {
      for (const { decisions: found, note, event } of await explained(house, answer)) {
        assert.equal(note, undefined, event.eventName)
        for (const { outcome, recorded, trace } of found) {
          assert.equal(outcome, 'unchanged', JSON.stringify(recorded))
          assert.equal(trace?.decision.allowed, recorded.allowed)
          decisions += 1
          reasons.add(recorded.reason)
        }
      }
    }
    assert.ok(decisions >= answers.length, `${decisions} of ${answers.length}`)
    assert.deepEqual([...reasons].sort(), [
      'account-root',
      'explicit-deny-in-identity-policy',
      'explicit-deny-in-key-policy',
      'grant',
      'key-and-identity-policy',
      'key-policy',
      'no-identity-policy-allows',
      'no-key-policy-allows',
      'no-permissions-boundary-allows',
    ])
  })

  /** Allowed and denied ones, in most of the ways there are. */
  async function manyCalls(t: TestContext) {
    const house = await House.open(t)
    const may = document({
      Effect: 'Allow',
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: '*',
      Condition: { StringLikeIfExists: { 'kms:EncryptionContext:team': [ownName, 'all'] } },
    })
    const ann = await house.addUser({ name: 'ann', policies: [may], tags: { team: 'blue' } })
    const bob = await house.addUser({
      name: 'bob',
      policies: [may, document({ Effect: 'Deny', Action: 'kms:Decrypt', Resource: '*' })],
    })
    const cas = await house.addUser({
      name: 'cas',
      policies: [may],
      boundary: document({ Effect: 'Allow', Action: 'kms:Describe*', Resource: '*' }),
    })
    const dan = await house.addUser({ name: 'dan' })
    const key = await house.newKey({ Policy: keyPolicy(forAccount) })
    const named = await house.newKey({
      Policy: keyPolicy(
        forAccount,
        statement('Allow', { Principal: { AWS: dan.arn }, Action: 'kms:Encrypt' }),
        statement('Deny', {
          Principal: '*',
          Action: 'kms:Encrypt',
          Condition: { StringEquals: { 'kms:EncryptionContext:team': 'red' } },
        }),
      ),
    })
    const closed = await house.newKey({
      Policy: keyPolicy(
        statement('Allow', {
          Principal: { AWS: rootArn(account) },
          Action: ['kms:PutKeyPolicy', 'kms:CreateGrant'],
        }),
      ),
    })
    const root = house.key
    const encrypt = (KeyId: string, who: object, EncryptionContext = {}) =>
      house.call('Encrypt', { KeyId, Plaintext: 'aGk=', EncryptionContext }, { key: who as never })
    await house.ok('CreateGrant', {
      KeyId: closed,
      GranteePrincipal: dan.arn,
      Operations: ['Encrypt'],
    })
    const answers = [
      await house.call('ListKeys', {}),
      await encrypt(key, root),
      await encrypt(key, ann, { team: 'ann' }),
      await encrypt(key, ann, { team: 'red' }),
      await encrypt(key, ann, { Team: 'ann', team: 'all' }),
      await encrypt(key, bob),
      await encrypt(key, cas),
      await encrypt(key, dan),
      await encrypt(named, dan),
      await encrypt(named, dan, { team: 'red' }),
      await encrypt(closed, ann),
      await encrypt(closed, dan),
    ]
    const sealed = answers[5]?.body['CiphertextBlob']
    answers.push(await house.call('Decrypt', { CiphertextBlob: sealed }, { key: bob }))
    answers.push(await house.call('ReEncrypt', { CiphertextBlob: sealed, DestinationKeyId: named }))
    return { house, answers }
  }

  test('of two accounts: each has its own side, and both together explain it', async (t) => {
    const { house, KeyId, foreign } = await shared(t)
    const answer = await house.call('Encrypt', { KeyId, Plaintext: 'aGk=' }, { key: foreign })
    assert.equal(answer.status, 200)
    const [own, owner] = house.recordsOf(answer)
    const decisionOf = (event: typeof own) =>
      (event?.additionalEventData?.['authorization'] as Record<string, unknown>[] | undefined)?.[0]
    const layersOf = (event: typeof own) =>
      (decisionOf(event)?.['policies'] as { layer: string }[] | undefined)?.map(
        ({ layer }) => layer,
      )
    assert.deepEqual([decisionOf(own)?.['side'], layersOf(own)], ['caller', ['identity-policy']])
    assert.equal(decisionOf(own)?.['path'], undefined)
    assert.deepEqual([decisionOf(owner)?.['side'], layersOf(owner)], ['resource', ['key-policy']])
    assert.deepEqual(decisionOf(own)?.['conditions'], { 'aws:userid': foreign.id })
    assert.deepEqual(decisionOf(owner)?.['conditions'], { 'kms:calleraccount': otherAccount })
    await turnRound(house)
    for (const explanation of await explained(house, answer)) {
      const [decision] = explanation.decisions
      assert.equal(decision?.outcome, 'unchanged')
      assert.deepEqual(decision.trace?.decision, {
        allowed: true,
        reason: 'key-and-identity-policy',
        path: 'F',
      })
      assert.match(explanation.event.caller.principalId, /^AIDA/)
    }
  })

  test('of a stranger says no more than if there were no such key', async (t) => {
    const { house, foreign } = await shared(t)
    const closed = `arn:aws:kms:${region}:${account}:key/${await house.newKey()}`
    const none = `arn:aws:kms:${region}:${account}:key/${systemRandom.uuid()}`
    const shapes: unknown[] = []
    for (const KeyId of [closed, none]) {
      const answer = await house.call('Encrypt', { KeyId, Plaintext: 'aGk=' }, { key: foreign })
      assert.equal(answer.error, 'AccessDeniedException')
      const [event, ...more] = house.recordsOf(answer)
      assert.deepEqual(more, [])
      const { eventID: _, requestID: __, requestParameters: ___, ...shape } = { ...event }
      shapes.push(shape)
      const [explanation] = await explained(house, answer)
      assert.deepEqual(explanation?.decisions, [])
      assert.match(explanation?.note ?? '', /keeps no decision/)
    }
    assert.deepEqual(shapes[0], shapes[1])
  })

  test('of a stranger whom the key lets in has the own side of what the own account denies', async (t) => {
    const { house, KeyId } = await shared(t)
    const without = await house.addUser({ name: 'eve', account: otherAccount })
    const answer = await house.call('Encrypt', { KeyId, Plaintext: 'aGk=' }, { key: without })
    const [explanation] = await explained(house, answer)
    const [decision] = explanation?.decisions ?? []
    assert.equal(decision?.outcome, 'unchanged')
    assert.equal(decision.own.reason, 'no-identity-policy-allows')
    assert.deepEqual(decision.trace?.wouldAllow, [
      [{ type: 'allow', layer: 'identity-policy', level: undefined }],
      [{ type: 'grant' }],
    ])
    assert.ok(decision.trace.layers.every(({ layer }) => layer !== 'key-policy'))
    assert.equal(JSON.stringify(decision.own).includes('key-policy'), false)
  })

  test('of a session with session policies finds them where they were passed', async (t) => {
    const house = await House.open(t)
    const may = document({ Effect: 'Allow', Action: 'kms:*', Resource: '*' })
    const role = await house.addRole({
      name: 'worker',
      policies: [may],
      trust: document({ Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' }),
    })
    const ann = await house.addUser({
      name: 'ann',
      policies: [document({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' })],
    })
    const KeyId = await house.newKey()
    const passed = document({ Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*' })
    const assumed = await query(house, 'AssumeRole', ann, {
      RoleArn: role.arn,
      RoleSessionName: 'one',
      Policy: JSON.stringify(passed),
    })
    const text = assumed.reply.body.toString()
    const part = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1] ?? ''
    const session = {
      accessKeyId: part('AccessKeyId'),
      secretAccessKey: part('SecretAccessKey'),
      sessionToken: part('SessionToken'),
    }
    const described = await house.call('DescribeKey', { KeyId }, { key: session })
    assert.equal(described.status, 200)
    const encrypted = await house.call('Encrypt', { KeyId, Plaintext: 'aGk=' }, { key: session })
    assert.equal(encrypted.error, 'AccessDeniedException')
    await turnRound(house)
    const reasons: (string | undefined)[] = []
    for (const answer of [assumed, described, encrypted]) {
      for (const { decisions } of await explained(house, answer)) {
        assert.deepEqual(new Set(decisions.map(({ outcome }) => outcome)), new Set(['unchanged']))
        reasons.push(...decisions.map(({ recorded }) => recorded.reason))
      }
    }
    assert.deepEqual(reasons, [
      'trust-and-identity-policy',
      'key-and-identity-policy',
      'no-session-policy-allows',
    ])
  })

  test('of a call on an object by the policy of its bucket, present or superseded', async (t) => {
    const house = await House.open(t)
    const ann = await house.addUser({ name: 'ann' })
    const bucketPolicy = (Effect: string) =>
      JSON.stringify(
        document({
          ...{ Effect, Principal: { AWS: ann.arn }, Action: 's3:PutObject' },
          Resource: 'arn:aws:s3:::ledger/*',
        }),
      )
    await s3Ok(house, 'PUT', '/ledger')
    await s3Ok(house, 'PUT', '/ledger', { query: { policy: '' }, body: bucketPolicy('Allow') })
    const { requestId } = await s3Ok(house, 'PUT', '/ledger/a', { key: ann, body: 'a' })
    const [record] = house.journal.events.filter(({ requestID }) => requestID === requestId)
    const { event } = commandsOf(house)
    const explain = async () => {
      const { decisions } = await event(record?.eventID ?? '')
      return decisions.map(({ outcome, recorded }) => [outcome, recorded.reason])
    }
    assert.deepEqual(await explain(), [['unchanged', 'bucket-policy']])
    await s3Ok(house, 'PUT', '/ledger', { query: { policy: '' }, body: bucketPolicy('Deny') })
    assert.deepEqual(await explain(), [['unchanged', 'bucket-policy']], 'by the archive')
    house.shared.archive.clear()
    assert.deepEqual(await explain(), [['incomplete', 'bucket-policy']])
  })

  test('finds a text that is archived while the explanation looks for others', async (t) => {
    const house = await House.open(t)
    const KeyId = await house.newKey()
    const policies = [document(statement('Allow', { Resource: '*' }))]
    const ann = await house.addUser({ name: 'ann', policies })
    const Policy = keyPolicy(forAccount)
    await house.ok('PutKeyPolicy', { KeyId, Policy })
    const answer = await house.call('Encrypt', { KeyId, Plaintext: 'aGk=' }, { key: ann })
    assert.equal(answer.status, 200)
    // What ann was allowed by is in the archive: the look at it is when the policy of the key goes there, too.
    await house.removeIdentity(ann.id)
    let looks = 0
    house.faults.archived = async () => {
      looks += 1
      if (looks === 1) await turnRound(house)
    }
    const [explanation] = await explained(house, answer)
    assert.equal(looks, 1)
    assert.deepEqual(
      explanation?.decisions.map(({ outcome }) => outcome),
      ['unchanged'],
    )
  })

  test('fails, and records nothing, when the archive cannot be read', async (t) => {
    const house = await House.open(t)
    const KeyId = await house.newKey()
    const answer = await house.call('Encrypt', { KeyId, Plaintext: 'aGk=' })
    await turnRound(house)
    const recorded = house.journal.events.length
    house.faults.archived = () => Promise.reject(internalError('the disk is gone'))
    await assert.rejects(explained(house, answer), { code: 'internal', detail: 'the disk is gone' })
    assert.equal(house.journal.events.length, recorded)
  })

  test('says so when a text is gone', async (t) => {
    const house = await House.open(t)
    const KeyId = await house.newKey()
    const answer = await house.call('Encrypt', { KeyId, Plaintext: 'aGk=' })
    await turnRound(house)
    house.shared.archive.clear()
    const [explanation] = await explained(house, answer)
    const [decision] = explanation?.decisions ?? []
    assert.equal(decision?.outcome, 'incomplete')
    assert.deepEqual(
      decision.missing.map(({ layer }) => layer),
      ['key-policy'],
    )
  })

  test('of a call that took no decision says why there is none', async (t) => {
    const house = await House.open(t)
    const { event } = commandsOf(house)
    const answer = await house.call('Encrypt', { KeyId: 'alias/none', Plaintext: 'aGk=' })
    const [record] = house.recordsOf(answer)
    const { note, decisions } = await event(record?.eventID ?? '')
    assert.deepEqual([decisions, note], [[], 'It failed before anything had to be permitted.'])
    const refused = (message: string) => ({ name: 'OperatorError', message })
    const unknown = systemRandom.uuid()
    await assert.rejects(event(unknown), refused(`There is no event ${unknown}.`))
    await assert.rejects(event('"eventID"'), refused('An event id is a UUID.'))
  })

  test('is asked for in a record of its own', async (t) => {
    const house = await House.open(t)
    const { event } = commandsOf(house)
    const [record] = house.recordsOf(await house.call('ListKeys', {}))
    await event(record?.eventID ?? '')
    const asked = house.journal.events.at(-1)
    assert.deepEqual(
      [asked?.eventName, asked?.serviceEventDetails],
      ['ExplainEvent', { explained: record?.eventID, encoded: false }],
    )
  })

  /** A key that another account may use where it says who it is, and a user of that account who may. */
  async function shared(t: TestContext) {
    const house = await House.open(t)
    const foreign = await house.addUser({
      name: 'zoe',
      account: otherAccount,
      policies: [
        document({
          Effect: 'Allow',
          Action: 'kms:Encrypt',
          Resource: '*',
          Condition: { StringLike: { 'aws:userid': 'AIDA*' } },
        }),
      ],
    })
    const id = await house.newKey({
      Policy: keyPolicy(
        forAccount,
        statement('Allow', {
          Principal: { AWS: otherAccount },
          Condition: { StringEquals: { 'kms:CallerAccount': otherAccount } },
        }),
      ),
    })
    return { house, foreign, KeyId: `arn:aws:kms:${region}:${account}:key/${id}` }
  }
})

describe('an encoded explanation', () => {
  test('is opened by its own account, and by nobody else', async (t) => {
    const house = await House.open(t)
    const user = await house.addUser({ name: 'ann' })
    const KeyId = await house.newKey()
    const answer = await house.call('Encrypt', { KeyId, Plaintext: 'aGk=' }, { key: user })
    const [record] = house.recordsOf(answer)
    const { run } = commandsOf(house)
    const encoded = await run('explain-event', { eventId: record?.eventID, encoded: true })
    const { encodedMessage } = encoded as { encodedMessage: string }
    const opened = await decode(house, encodedMessage, house.key)
    assert.equal(opened.status, 200)
    const { context, ...message } = JSON.parse(opened.message)
    assert.deepEqual(message, {
      allowed: false,
      explicitDeny: false,
      matchedStatements: { items: message.matchedStatements.items },
      failures: { items: ['no-identity-policy-allows'] },
      event: { eventId: record?.eventID, eventTime: '2026-05-06T07:08:09Z' },
    })
    assert.equal(message.matchedStatements.items[0].sourcePolicyType, 'key-policy')
    assert.deepEqual(context.principal, { id: user.id, arn: user.arn })
    assert.equal(context.action, 'kms:Encrypt')
    const flipped = Buffer.from(encodedMessage, 'base64')
    flipped[20] = (flipped[20] ?? 0) ^ 1
    for (const [message, key] of [
      [encodedMessage, house.otherKey],
      [flipped.toString('base64'), house.key],
      ['AAAA', house.key],
      [`${encodedMessage} `, house.key],
      ['no base64!', house.key],
    ] as const) {
      const refused = await decode(house, message, key)
      assert.deepEqual(
        [refused.status, refused.error],
        [400, 'InvalidAuthorizationMessageException'],
      )
    }
    const denied = await decode(house, encodedMessage, user)
    assert.deepEqual([denied.status, denied.error], [403, 'AccessDenied'])
  })

  async function decode(house: House, encodedMessage: string, key: AccessKey) {
    const input = { EncodedMessage: encodedMessage }
    const { status, reply } = await query(house, 'DecodeAuthorizationMessage', key, input)
    const text = reply.body.toString()
    const [, decoded = ''] = /<DecodedMessage>(.*)<\/DecodedMessage>/.exec(text) ?? []
    const [, error] = /<Code>(.*)<\/Code>/.exec(text) ?? []
    const message = decoded.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
    return { status, error, message }
  }
})

describe('a call that nobody made', () => {
  test('is decided as the call is, and with the changes that would allow it', async (t) => {
    const house = await House.open(t)
    const { call } = commandsOf(house)
    const ann = await house.addUser({ name: 'ann', path: '/team/' })
    const KeyId = await house.newKey({ Tags: [{ TagKey: 'team', TagValue: 'blue' }] })
    const question = { principal: ann.arn, action: 'kms:Encrypt', key: KeyId }
    const answer = await call({ ...question, context: { team: 'blue' } })
    assert.deepEqual(answer.trace.decision, {
      allowed: false,
      reason: 'no-identity-policy-allows',
    })
    assert.equal(answer.trace.decisiveStep, 6)
    assert.deepEqual(answer.trace.wouldAllow, [
      [{ type: 'allow', layer: 'identity-policy', level: undefined }],
      [{ type: 'name-caller', principal: ann.arn }],
      [{ type: 'grant' }],
    ])
    const { conditions } = answer
    assert.deepEqual(
      [
        conditions['kms:EncryptionContext:team'],
        conditions['kms:KeySpec'],
        conditions['aws:ResourceTag/team'],
        conditions['aws:username'],
        conditions['aws:SourceIp'],
      ],
      ['blue', 'SYMMETRIC_DEFAULT', 'blue', 'ann', undefined],
    )
    const { identities } = house.tables
    const user = identities.users.byId(ann.id)
    assert.ok(user !== undefined)
    const text = JSON.stringify(
      document({
        Effect: 'Allow',
        Action: 'kms:*',
        Resource: '*',
        Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
      }),
    )
    await house.mirror.commit(
      [identities.users.replace(user, { ...user, inline: { own: text } })],
      [],
    )
    assert.equal((await call(question)).trace.decision.allowed, false)
    const near = await call({ ...question, conditions: { 'aws:sourceip': '192.0.2.9' } })
    assert.deepEqual(near.trace.decision, {
      allowed: true,
      reason: 'key-and-identity-policy',
      path: 'F',
    })
    const asked = house.journal.events.at(-1)
    assert.equal(asked?.eventName, 'ExplainCall')
  })

  test('of a role is that of a fresh session, of root that of the account', async (t) => {
    const house = await House.open(t)
    const { call } = commandsOf(house)
    const role = await house.addRole({ name: 'worker', tags: { a: 'b' } })
    const KeyId = await house.newKey({
      Policy: keyPolicy(
        forAccount,
        statement('Allow', { Principal: { AWS: role.arn }, Action: 'kms:Decrypt' }),
      ),
    })
    const byRole = await call({ principal: role.arn, action: 'kms:Decrypt', key: KeyId })
    assert.deepEqual(byRole.trace.decision, { allowed: true, reason: 'key-policy', path: 'C' })
    assert.equal(byRole.principal, `arn:aws:sts::${account}:assumed-role/worker/explain`)
    assert.equal(byRole.conditions['aws:PrincipalTag/a'], 'b')
    const byRoot = await call({ principal: rootArn(account), action: 'kms:Decrypt', key: KeyId })
    assert.deepEqual(byRoot.trace.decision, { allowed: true, reason: 'key-policy', path: 'G' })
    const other = { principal: rootArn(otherAccount), action: 'kms:Decrypt' }
    const arn = `arn:aws:kms:${region}:${account}:key/${KeyId}`
    const { trace } = await call({ ...other, key: arn })
    assert.deepEqual(trace.wouldAllow, [
      [{ type: 'delegate', account: otherAccount }],
      [{ type: 'grant' }],
    ])
    const assumed = await call({
      principal: rootArn(account),
      action: 'sts:AssumeRole',
      resource: role.arn,
    })
    assert.equal(assumed.trace.decision.allowed, false)
    assert.ok(assumed.trace.layers.some(({ layer }) => layer === 'trust-policy'))
  })

  test('shows each grant that names the caller, and why it permits this or not', async (t) => {
    const house = await House.open(t)
    const { call } = commandsOf(house)
    const dan = await house.addUser({ name: 'dan' })
    const KeyId = await house.newKey()
    const { GrantId } = await house.ok('CreateGrant', {
      KeyId,
      GranteePrincipal: dan.arn,
      Operations: ['Encrypt'],
      Constraints: { EncryptionContextSubset: { team: 'blue' } },
    })
    const ask = (action: string, context?: object) =>
      call({ principal: dan.arn, action, key: KeyId, context })
    const grant = { grantId: GrantId, grantee: 'user' }
    const encrypted = await ask('kms:Encrypt', { team: 'blue', a: 'b' })
    assert.deepEqual(encrypted.grants, [{ ...grant, operation: true, constraint: 'met' }])
    assert.equal(encrypted.trace.decision.allowed, true)
    const plain = await ask('kms:Encrypt')
    assert.deepEqual(plain.grants, [{ ...grant, operation: true, constraint: 'not met' }])
    assert.equal(plain.trace.decision.allowed, false)
    const decrypted = await ask('kms:Decrypt', { team: 'blue' })
    assert.deepEqual(decrypted.grants, [{ ...grant, operation: false, constraint: 'met' }])
  })

  test('about what is not there is refused', async (t) => {
    const house = await House.open(t)
    const { call } = commandsOf(house)
    const root = rootArn(account)
    const KeyId = await house.newKey()
    const refused = (question: object, message: RegExp) =>
      assert.rejects(call({ principal: root, action: 'kms:Encrypt', key: KeyId, ...question }), {
        name: 'OperatorError',
        message,
      })
    await refused({ principal: 'ann' }, /no principal ann/)
    await refused({ principal: `arn:aws:iam::${account}:user/none` }, /no principal/)
    await refused({ principal: rootArn('999999999999' as never) }, /no principal/)
    await refused({ action: 'Encrypt' }, /service:Name/)
    await refused({ action: 'kms:ListKeys' }, /no permission on a key/)
    await refused({ key: systemRandom.uuid() }, /does not exist/)
    await refused({ region: 'eu-west-1' }, /This deployment serves us-east-1/)
    await refused({ context: { a: 1 } }, /object of texts/)
    await refused({ context: { a: ['b'] } }, /one value for each name/)
    await refused({ action: undefined }, /'action' is missing/)
  })
})
