import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { present } from '../support/expect.ts'
import { JsonClient } from '../support/json-client.ts'
import { TestServer } from '../support/server.ts'

const clients = 8
const keys = 3
/** Of each key; AWS's quota is 25. */
const rotations = 20

type Sealed = { readonly ciphertext: string; readonly plaintext: string; materialId?: string }

test('keys rotate while clients encrypt and decrypt, and nobody notices', async (t) => {
  const regions = ['us-east-1', 'eu-west-1']
  const server = await TestServer.start({ regions })
  const open = (region?: string) =>
    new JsonClient(server.endpoint, server.credentials, ...(region === undefined ? [] : [region]))
  const ok = async (client: JsonClient, operation: string, input: object) => {
    const answer = present(await client.call(operation, input), `an answer to ${operation}`)
    assert.equal(answer.status, 200, `${operation}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const sealed: Sealed[] = []
  try {
    const operator = open()
    const keyIds: string[] = []
    for (let i = 0; i < keys; i++) {
      // The first has a replica, whose material has to be there before the primary uses it.
      const { KeyMetadata } = await ok(operator, 'CreateKey', { MultiRegion: i === 0 })
      const { KeyId } = KeyMetadata as { KeyId: string }
      if (i === 0) await ok(operator, 'ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1' })
      keyIds.push(KeyId)
    }
    let rotating = true
    const work = async (n: number) => {
      const here = open()
      const there = open('eu-west-1')
      while (rotating) {
        const at = randomInt(keys)
        const KeyId = present(keyIds[at])
        const encryptsThere = at === 0 && n % 2 === 1
        const plaintext = randomBytes(24).toString('base64')
        const { CiphertextBlob } = await ok(encryptsThere ? there : here, 'Encrypt', {
          KeyId,
          Plaintext: plaintext,
        })
        const mine: Sealed = { ciphertext: String(CiphertextBlob), plaintext }
        sealed.push(mine)
        await opens(at === 0 && n % 2 === 0 ? there : here, mine)
        await opens(here, present(sealed[randomInt(sealed.length)]))
      }
      here.close()
      there.close()
    }
    /** Whatever material it was encrypted with, it is the same each time. */
    const opens = async (client: JsonClient, each: Sealed) => {
      const { Plaintext, KeyMaterialId } = await ok(client, 'Decrypt', {
        CiphertextBlob: each.ciphertext,
      })
      assert.equal(Plaintext, each.plaintext)
      each.materialId ??= String(KeyMaterialId)
      assert.equal(KeyMaterialId, each.materialId)
    }
    const begun = performance.now()
    const working = Promise.all(Array.from({ length: clients }, (_, n) => work(n)))
    const rotate = async () => {
      for (let round = 0; round < rotations; round++) {
        for (const KeyId of keyIds) await ok(operator, 'RotateKeyOnDemand', { KeyId })
        // Until each material was very likely used, however slow the machine is.
        while (rotating && sealed.length < (round + 1) * clients * 2) await sleep(5)
      }
    }
    try {
      await Promise.race([working, rotate()])
    } finally {
      rotating = false
    }
    await working
    const ms = Math.round(performance.now() - begun)
    operator.close()
    const materials = new Set(sealed.map(({ materialId }) => materialId))
    assert.ok(materials.size > keys * rotations * 0.8, `only ${materials.size} materials were used`)

    await server.kill9()
    await server.restart()
    const later = open()
    const oldest = [...new Map(sealed.toReversed().map((each) => [each.materialId, each])).values()]
    for (const each of oldest) await opens(later, each)
    later.close()
    t.diagnostic(
      `${sealed.length} ciphertexts by ${materials.size} materials of ${keys} keys in ${ms} ms`,
    )
  } finally {
    await server.discard()
  }
})
