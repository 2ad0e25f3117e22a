import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type { AnyOperation, Service } from '../../src/services/operation.ts'
import { account } from '../../src/testing/house.ts'
import { type Parameters, query } from '../../src/testing/query-calls.ts'
import type { Schema } from '../../src/wire/schema.ts'
import { found, needlesOf } from '../support/canary.ts'
import { makers } from './golden.ts'
import { sensitiveMembers } from './secrets.ts'
import type { Stage } from './stage.ts'

/**
 * Whatever goes through a member that a schema calls sensitive, in a request or in an answer, of every operation that
 * there is, done, denied and failed: none of it is in the record, in the store at any time, or in the log; and none of
 * what a request brings is in the answer to a call that failed.
 */
describe('nothing that is secret is kept', () => {
  /** Members that no call can fill, for each the reason. */
  const never: Readonly<Record<string, string>> = {}

  for (const [service, make] of Object.entries(makers)) {
    test(`of the calls of ${service}`, async (t) => {
      const stage = await make(t)
      await failWithEach(stage, service)
      const seen = new Set(stage.secrets.map(({ member }) => member))
      const own = stage.services.find(({ signingName }) => signingName === service)
      const members = own === undefined ? [] : sensitiveMembers(own)
      assert.deepEqual(
        members.filter((member) => !seen.has(member) && !(member in never)),
        [],
      )
      const needles = stage.secrets.flatMap(({ member, bytes }) =>
        needlesOf({ name: member, secret: bytes.subarray(0, 48) }),
      )
      assert.ok(needles.length >= 10 * members.length, `${needles.length} needles`)
      for (const [place, text] of Object.entries(stage.kept)) {
        assert.deepEqual(found(needles, Buffer.from(text)), [], place)
      }
      assert.ok(stage.kept['the record'].includes(account), 'the record was searched')
      assert.ok(stage.kept['the store'].includes(account), 'the store was searched')
    })
  }

  test('and what is planted in those places is found', async (t) => {
    const stage = await makers['sts']?.(t)
    assert.ok(stage !== undefined)
    const [secret] = stage.secrets
    assert.ok(secret !== undefined)
    const needles = needlesOf({ name: 'planted', secret: secret.bytes.subarray(0, 48) })
    const { house } = stage
    await house.journal.append(`{"a":"${secret.bytes.toString('hex')}"}`)
    house.logged.push(`a ${secret.bytes.toString('base64')}`)
    await house.mirror.commit(
      [{ kind: 'planted', id: '1', body: secret.bytes.toString('latin1'), expected: 0 }],
      [],
    )
    for (const [place, text] of Object.entries(stage.kept)) {
      assert.equal(found(needles, Buffer.from(text)).length > 0, true, place)
    }
  })
})

/** Each sensitive member of a request with what is wrong: alone, too long, of another type, with a member of nobody. */
async function failWithEach(stage: Stage, name: string): Promise<void> {
  const service = stage.services.find(({ signingName }) => signingName === name)
  if (service === undefined) return
  for (const operation of service.operations.values()) {
    for (const [member, schema] of Object.entries(operation.input.members as Schemas)) {
      if (!isSensitive(schema)) continue
      for (const input of wrongInputs(stage, operation, member, schema)) {
        await fails(stage, service, operation, input)
      }
    }
  }
}

type Schemas = Readonly<Record<string, Schema>>

function isSensitive(schema: Schema): boolean {
  return (schema.type === 'blob' || schema.type === 'string') && schema.sensitive === true
}

function* wrongInputs(stage: Stage, { name }: AnyOperation, member: string, schema: Schema) {
  const secret = (bytes: number) => {
    const canary = randomBytes(bytes)
    const text = schema.type === 'blob' ? canary : Buffer.from(canary.toString('hex'))
    stage.secrets.push({ member: `${name} input.${member}`, bytes: text })
    return schema.type === 'blob' ? canary.toString('base64') : text.toString()
  }
  yield { [member]: secret(48) }
  yield { [member]: secret(30_000) }
  yield { [member]: `${secret(48)}\u0007!` }
  yield { [member]: { [secret(48)]: secret(48) } }
  yield { [member]: secret(48), KeyId: 5, NoSuchMember: secret(48), DryRun: secret(48) }
  yield { [secret(48)]: secret(48), KeyId: secret(48).slice(0, 40) }
}

async function fails(stage: Stage, service: Service, { name }: AnyOperation, input: object) {
  const { house } = stage
  const answer =
    service.protocol.name === 'json'
      ? await house.call(name, input, {
          ...{
            service: service.signingName,
            target: `${service.protocol.targetPrefixes[0]}.${name}`,
          },
        })
      : await query(house, service.signingName as 'sts', name, input as Parameters)
  assert.ok(answer.status >= 400, `${name} ${JSON.stringify(Object.keys(input))}`)
  const planted = stage.secrets
    .slice(-4)
    .flatMap(({ member, bytes }) => needlesOf({ name: member, secret: bytes.subarray(0, 48) }))
  assert.deepEqual(found(planted, answer.reply.body as Buffer), [], `the answer of ${name}`)
}
