import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitKeyPolicy } from './admit.ts'
import { defaultKeyPolicy } from './defaults.ts'
import { decide } from './evaluate.ts'
import { compilePolicy } from './policy/compile.ts'
import { abroad, home, keyArn, names, root, user } from './test-samples.ts'

test('the default key policy, as AWS prints it', () => {
  const text = defaultKeyPolicy(home)
  assert.equal(
    text,
    [
      '{',
      '  "Version" : "2012-10-17",',
      '  "Id" : "key-default-1",',
      '  "Statement" : [ {',
      '    "Sid" : "Enable IAM User Permissions",',
      '    "Effect" : "Allow",',
      '    "Principal" : {',
      '      "AWS" : "arn:aws:iam::111122223333:root"',
      '    },',
      '    "Action" : "kms:*",',
      '    "Resource" : "*"',
      '  } ]',
      '}',
    ].join('\n'),
  )
  const admitted = admitKeyPolicy(text, {
    caller: root(home),
    keyArn,
    keyAccount: home,
    conditions: [],
    principals: names,
    bypassLockoutSafetyCheck: false,
  })
  assert.equal(admitted, text)
})

test('it leaves the key to the account and to nobody else', () => {
  const policy = compilePolicy(defaultKeyPolicy(home))
  const ask = (caller: Parameters<typeof decide>[0]['caller'], permission = 'kms:Decrypt') =>
    decide({
      caller,
      permission,
      resource: { type: 'key', arn: keyArn, account: home, policy, crossAccount: true },
      conditions: [],
    })
  assert.deepEqual(ask(root(home)), { allowed: true, reason: 'key-policy', path: 'G' })
  assert.equal(ask(root(home), 's3:GetObject').allowed, false)
  assert.deepEqual(ask(user(home, 'alice')), {
    allowed: false,
    reason: 'no-identity-policy-allows',
  })
  assert.deepEqual(ask(root(abroad)), { allowed: false, reason: 'no-key-policy-allows' })
})
