import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { account, House } from '../../testing/house.ts'
import { iam, refused } from '../../testing/query-calls.ts'

/** With white space, and characters that URLs and XML treat in their own ways. */
const document = (sid = 'one') =>
  `{"Version":"2012-10-17",\n "Statement":[{"Sid":"${sid}","Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"(*)!'<&+%é"}}}]}`

/** The policies of a user and of a group, by operations that are made alike. */
for (const { what, sizeMax } of [
  { what: 'User', sizeMax: 2048 },
  { what: 'Group', sizeMax: 5120 },
]) {
  const named = { [`${what}Name`]: 'x' }

  describe(`the policies of a ${what.toLowerCase()}`, () => {
    test('inline: put, replaced, shown URL-encoded, listed, deleted', async (t) => {
      const house = await House.open(t)
      await iam(house, `Create${what}`, named)
      for (const PolicyName of ['b', 'a', '__proto__', 'constructor', 'b']) {
        const PolicyDocument = document()
        await iam(house, `Put${what}Policy`, { ...named, PolicyName, PolicyDocument })
      }
      for (const PolicyName of ['a', '__proto__', 'constructor']) {
        const got = await iam(house, `Get${what}Policy`, { ...named, PolicyName })
        assert.deepEqual(got, {
          ...named,
          PolicyName,
          PolicyDocument: got['PolicyDocument'],
        })
        assert.match(String(got['PolicyDocument']), /^[\w.~%-]+$/)
        assert.equal(decodeURIComponent(String(got['PolicyDocument'])), document())
      }
      const first = await iam(house, `List${what}Policies`, { ...named, MaxItems: 3 })
      assert.deepEqual(first['PolicyNames'], ['__proto__', 'a', 'b'])
      const rest = { ...named, Marker: first['Marker'] }
      assert.deepEqual(await iam(house, `List${what}Policies`, rest), {
        PolicyNames: ['constructor'],
        IsTruncated: 'false',
      })
      await iam(house, `Delete${what}Policy`, { ...named, PolicyName: 'constructor' })
      for (const PolicyName of ['constructor', 'toString']) {
        for (const verb of ['Get', 'Delete']) {
          assert.equal(
            await refused(house, `${verb}${what}Policy`, { ...named, PolicyName }),
            `404 NoSuchEntity: The ${what.toLowerCase()} policy with name ${PolicyName} cannot be found.`,
          )
        }
      }
    })

    test('inline: what is no identity policy is refused, and so is too much of it', async (t) => {
      const house = await House.open(t)
      await iam(house, `Create${what}`, named)
      const put = (PolicyDocument: string, PolicyName = 'p') => ({
        ...named,
        PolicyName,
        PolicyDocument,
      })
      const statement = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
      const malformed = [
        ['not json', 'Syntax errors in policy.'],
        ['{}', 'Syntax errors in policy.'],
        [
          textOf({ ...statement, Principal: '*' }),
          'Policy document should not specify a principal.',
        ],
        [textOf({ ...statement, Resource: undefined }), 'Policy statement must contain resources.'],
        [textOf({ ...statement, Action: undefined }), 'Policy statement must contain actions.'],
        [
          textOf({ ...statement, Action: 'a:b:c' }),
          'Actions/Condition can contain only one colon.',
        ],
      ] as const
      for (const [text, reason] of malformed) {
        assert.equal(
          await refused(house, `Put${what}Policy`, put(text)),
          `400 MalformedPolicyDocument: ${reason}`,
        )
      }
      // White space does not count, and the others of the same entity do.
      const short = document().replaceAll(/\s/g, '').length
      const rest = document('s'.repeat(sizeMax - 2 * short + 'one'.length))
      await iam(house, `Put${what}Policy`, put(document()))
      await iam(house, `Put${what}Policy`, put(rest + ' \t\n'.repeat(100), 'q'))
      assert.equal(
        await refused(house, `Put${what}Policy`, put(document('ones'))),
        `409 LimitExceeded: Maximum policy size of ${sizeMax} bytes exceeded for ${what.toLowerCase()} x`,
      )
    })

    test('attached: once, ten at the most, listed by path, detached', async (t) => {
      const house = await House.open(t)
      await iam(house, `Create${what}`, named)
      const PolicyArn = 'arn:aws:iam::aws:policy/IAMFullAccess'
      await iam(house, `Attach${what}Policy`, { ...named, PolicyArn })
      await iam(house, `Attach${what}Policy`, { ...named, PolicyArn })
      for (let at = 1; at < 10; at++) {
        const { arn } = await house.addPolicy(`p${at}`, document())
        await iam(house, `Attach${what}Policy`, { ...named, PolicyArn: arn })
      }
      const { arn } = await house.addPolicy('one-more', document())
      assert.equal(
        await refused(house, `Attach${what}Policy`, { ...named, PolicyArn: arn }),
        `409 LimitExceeded: Cannot exceed quota for PoliciesPer${what}: 10`,
      )
      const page = await iam(house, `ListAttached${what}Policies`, { ...named, MaxItems: 9 })
      assert.equal((page['AttachedPolicies'] as readonly unknown[]).length, 9)
      const marker = { ...named, Marker: page['Marker'] }
      assert.deepEqual(await iam(house, `ListAttached${what}Policies`, marker), {
        AttachedPolicies: [{ PolicyName: 'IAMFullAccess', PolicyArn }],
        IsTruncated: 'false',
      })
      const elsewhere = { ...named, PathPrefix: '/elsewhere/' }
      assert.deepEqual(await iam(house, `ListAttached${what}Policies`, elsewhere), {
        AttachedPolicies: '',
        IsTruncated: 'false',
      })
      await iam(house, `Detach${what}Policy`, { ...named, PolicyArn })
      assert.equal(
        await refused(house, `Detach${what}Policy`, { ...named, PolicyArn }),
        `404 NoSuchEntity: Policy ${PolicyArn} was not found.`,
      )
    })

    test('attached: what is not there, or is no policy', async (t) => {
      const house = await House.open(t)
      const PolicyArn = `arn:aws:iam::${account}:policy/none`
      assert.equal(
        await refused(house, `Attach${what}Policy`, { ...named, PolicyArn }),
        `404 NoSuchEntity: The ${what.toLowerCase()} with name x cannot be found.`,
      )
      await iam(house, `Create${what}`, named)
      assert.equal(
        await refused(house, `Attach${what}Policy`, { ...named, PolicyArn }),
        `404 NoSuchEntity: Policy ${PolicyArn} does not exist or is not attachable.`,
      )
      const user = `arn:aws:iam::${account}:user/x`
      assert.equal(
        await refused(house, `Attach${what}Policy`, { ...named, PolicyArn: user }),
        `400 InvalidInput: ARN ${user} is not valid.`,
      )
      const { arn } = await house.addPolicy('mine', document())
      const stranger = { key: house.otherKey }
      await iam(house, `Create${what}`, named, stranger)
      assert.equal(
        await refused(house, `Attach${what}Policy`, { ...named, PolicyArn: arn }, stranger),
        `404 NoSuchEntity: Policy ${arn} does not exist or is not attachable.`,
      )
    })
  })
}

function textOf(Statement: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement })
}
