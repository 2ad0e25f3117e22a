import assert from 'node:assert/strict'
import { test } from 'node:test'
import { House } from '../../../testing/house.ts'
import { iam, refused } from '../../../testing/query-calls.ts'

const text = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' },
})
const padded = (characters: number) => text + ' '.repeat(characters - text.length)
const tooMuch =
  /^400 InvalidInput: The policies of a request may have 131072 characters together\.$/

test('the policies of a request are bounded together', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateUser', { UserName: 'alice' })
  const { User } = await iam(house, 'GetUser', { UserName: 'alice' })
  const ofAlice = { PolicySourceArn: (User as { Arn: string }).Arn }
  const ActionNames = ['kms:Encrypt']
  const questions = {
    SimulateCustomPolicy: { ActionNames },
    SimulatePrincipalPolicy: { ...ofAlice, ActionNames },
    GetContextKeysForCustomPolicy: {},
    GetContextKeysForPrincipalPolicy: ofAlice,
  }
  const half = padded(65_536)
  for (const [action, question] of Object.entries(questions)) {
    await iam(house, action, { ...question, PolicyInputList: [half, half] })
    for (const PolicyInputList of [
      [half, padded(65_537)],
      [padded(131_072), text],
      Array(7).fill(padded(131_072)),
    ]) {
      assert.match(await refused(house, action, { ...question, PolicyInputList }), tooMuch, action)
    }
  }
  const bounded = { ActionNames, PermissionsBoundaryPolicyInputList: [half] }
  for (const action of ['SimulateCustomPolicy', 'SimulatePrincipalPolicy'] as const) {
    const question = { ...questions[action], ...bounded }
    await iam(house, action, { ...question, PolicyInputList: [half] })
    const PolicyInputList = [half, text]
    assert.match(await refused(house, action, { ...question, PolicyInputList }), tooMuch, action)
  }
})
