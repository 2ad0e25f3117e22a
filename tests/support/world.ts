import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { AuditEvent } from './cli.ts'
import { type Answer, JsonClient } from './json-client.ts'
import { allow, policyOf } from './policies.ts'
import type { Seeded } from './seeded.ts'
import type { TestServer } from './server.ts'

/**
 * What a set of clients was told: everything here was acknowledged, and must be true for ever after. A change whose
 * answer never came may have happened or not; then either value is right.
 */
type Fact<T> = { acknowledged: T /** Asked for, not answered. */; unanswered: T[] }

type Ciphertext = { readonly keyId: string; readonly blob: string; readonly plaintext: string }

const clientsDefault = 16

export class World {
  readonly #policies = new Map<string, Fact<string>>()
  readonly #aliases = new Map<string, Fact<string | undefined>>()
  readonly #ciphertexts: Ciphertext[] = []
  #ciphertextsVerified = 0
  /** Keys that were made or changed since the last verification. */
  readonly #touched = new Set<string>()
  readonly #requestIds = new Set<string>()
  readonly #name = randomUUID()
  #aliasCount = 0
  readonly #account: string

  constructor(account: string) {
    this.#account = account
  }

  get answers(): number {
    return this.#requestIds.size
  }

  get summary(): string {
    return `${this.answers} answers, ${this.#policies.size} keys, ${this.#aliases.size} aliases, ${this.#ciphertexts.length} ciphertexts`
  }

  /** Lets clients work until `stopped`, or until each has lost its connection. */
  async work(
    server: TestServer,
    random: Seeded,
    stopped: () => boolean,
    clients = clientsDefault,
  ): Promise<void> {
    await Promise.all(
      Array.from({ length: clients }, async () => {
        const client = new JsonClient(server.endpoint, server.credentials)
        const own: string[] = []
        let alive = true
        while (alive && !stopped()) alive = await this.#step(client, random, own)
        client.close()
      }),
    )
  }

  /** One call, and what it teaches. False when no answer came. Only its own client changes a key. */
  async #step(client: JsonClient, random: Seeded, own: string[]): Promise<boolean> {
    const chance = random.between(0, 100)
    if (own.length === 0 || chance < 6) return this.#createKey(client, own)
    const keyId = random.pick(own)
    if (chance < 14) return this.#createAlias(client, keyId)
    if (chance < 20) return this.#moveAlias(client, random, own)
    if (chance < 32) return this.#putPolicy(client, random, keyId)
    if (chance < 80) return this.#encrypt(client, random, keyId)
    if (chance < 85) return this.#fail(client)
    return (await this.#ask(client, 'DescribeKey', { KeyId: keyId })) !== undefined
  }

  async #createKey(client: JsonClient, own: string[]): Promise<boolean> {
    const policy = policyOf(this.#account)
    const answer = await this.#ask(client, 'CreateKey', { Policy: policy })
    if (answer === undefined) return false
    const { KeyId } = answer.body['KeyMetadata'] as { KeyId: string }
    this.#policies.set(KeyId, { acknowledged: policy, unanswered: [] })
    this.#touched.add(KeyId)
    own.push(KeyId)
    return true
  }

  async #createAlias(client: JsonClient, keyId: string): Promise<boolean> {
    const name = `alias/${this.#name}/${++this.#aliasCount}`
    const fact: Fact<string | undefined> = { acknowledged: undefined, unanswered: [] }
    this.#aliases.set(name, fact)
    return this.#change(client, fact, keyId, 'CreateAlias', {
      AliasName: name,
      TargetKeyId: keyId,
    })
  }

  /** Points an alias elsewhere, or deletes it. Aliases belong to the client that owns their key. */
  async #moveAlias(client: JsonClient, random: Seeded, own: string[]): Promise<boolean> {
    const candidates = [...this.#aliases].filter(
      ([, { acknowledged }]) => acknowledged !== undefined && own.includes(acknowledged),
    )
    if (candidates.length === 0) return true
    const [name, fact] = random.pick(candidates)
    if (random.chance(0.3)) {
      return this.#change(client, fact, undefined, 'DeleteAlias', { AliasName: name })
    }
    const target = random.pick(own)
    const input = { AliasName: name, TargetKeyId: target }
    return this.#change(client, fact, target, 'UpdateAlias', input)
  }

  async #putPolicy(client: JsonClient, random: Seeded, keyId: string): Promise<boolean> {
    const fact = this.#policies.get(keyId)
    assert.ok(fact !== undefined)
    this.#touched.add(keyId)
    const Sid = `Statement${random.next()}`
    const policy = policyOf(this.#account, { ...allow(this.#account, 'kms:Encrypt'), Sid })
    return this.#change(client, fact, policy, 'PutKeyPolicy', { KeyId: keyId, Policy: policy })
  }

  async #encrypt(client: JsonClient, random: Seeded, keyId: string): Promise<boolean> {
    const plaintext = random.bytes(24).toString('base64')
    const answer = await this.#ask(client, 'Encrypt', { KeyId: keyId, Plaintext: plaintext })
    if (answer === undefined) return false
    const blob = String(answer.body['CiphertextBlob'])
    this.#ciphertexts.push({ keyId, blob, plaintext })
    return true
  }

  /** A refusal is an answer like any other: it too must be in the record. */
  async #fail(client: JsonClient): Promise<boolean> {
    const answer = await client.call('DescribeKey', { KeyId: 'no-such-key' })
    if (answer === undefined) return false
    assert.equal(answer.error, 'NotFoundException', JSON.stringify(answer.body))
    this.#requestIds.add(answer.requestId)
    return true
  }

  async #change<T>(
    client: JsonClient,
    fact: Fact<T>,
    value: T,
    operation: string,
    input: object,
  ): Promise<boolean> {
    fact.unanswered.push(value)
    const answer = await this.#ask(client, operation, input)
    if (answer === undefined) return false
    fact.acknowledged = value
    fact.unanswered = []
    return true
  }

  async #ask(client: JsonClient, operation: string, input: object): Promise<Answer | undefined> {
    const answer = await client.call(operation, input)
    if (answer === undefined) return undefined
    assert.equal(answer.status, 200, `${operation}: ${JSON.stringify(answer.body)}`)
    assert.match(answer.requestId, /^[0-9a-f-]{36}$/)
    this.#requestIds.add(answer.requestId)
    return answer
  }

  /** Asserts that the server still knows everything that it ever acknowledged, and learns what was in doubt. */
  async verify(
    server: TestServer,
    others: 'alone' | 'others may be there' = 'alone',
  ): Promise<void> {
    await this.#verify(server, [...this.#policies.keys()], this.#ciphertexts, others === 'alone')
  }

  /** The same of all that came since the last verification, of all aliases, and of a sample of the rest. */
  async verifyRecent(server: TestServer, random: Seeded): Promise<void> {
    const keys = [...this.#policies.keys()]
    const samples = Array.from({ length: keys.length > 0 ? 50 : 0 }, () => random.pick(keys))
    const old = this.#ciphertexts.slice(0, this.#ciphertextsVerified)
    const sampled = Array.from({ length: old.length > 0 ? 50 : 0 }, () => random.pick(old))
    const recent = this.#ciphertexts.slice(this.#ciphertextsVerified)
    const some = [...new Set([...this.#touched, ...samples])]
    await this.#verify(server, some, [...recent, ...sampled], true)
  }

  async #verify(
    server: TestServer,
    keys: readonly string[],
    ciphertexts: readonly Ciphertext[],
    alone: boolean,
  ): Promise<void> {
    this.#touched.clear()
    this.#ciphertextsVerified = this.#ciphertexts.length
    const checks = [
      ...keys.map((id) => (client: JsonClient) => this.#verifyKey(client, id)),
      ...ciphertexts.map((found) => (client: JsonClient) => this.#verifyCiphertext(client, found)),
      (client: JsonClient) => this.#verifyAliases(client, alone),
    ]
    await Promise.all(
      Array.from({ length: clientsDefault }, async () => {
        const client = new JsonClient(server.endpoint, server.credentials)
        for (let check = checks.pop(); check !== undefined; check = checks.pop()) {
          await check(client)
        }
        client.close()
      }),
    )
  }

  async #verifyKey(client: JsonClient, keyId: string): Promise<void> {
    const described = await this.#must(client, 'DescribeKey', { KeyId: keyId })
    const { KeyState } = described['KeyMetadata'] as { KeyState: string }
    assert.equal(KeyState, 'Enabled', `state of ${keyId}`)
    const { Policy } = await this.#must(client, 'GetKeyPolicy', { KeyId: keyId })
    const fact = this.#policies.get(keyId)
    assert.ok(fact !== undefined)
    settle(fact, String(Policy), `policy of ${keyId}`)
  }

  async #verifyAliases(client: JsonClient, alone: boolean): Promise<void> {
    const found = new Map<string, string>()
    let Marker: unknown
    do {
      const page = await this.#must(client, 'ListAliases', { Limit: 1000, Marker })
      for (const alias of page['Aliases'] as { AliasName: string; TargetKeyId: string }[]) {
        found.set(alias.AliasName, alias.TargetKeyId)
      }
      Marker = page['NextMarker']
    } while (Marker !== undefined)
    for (const [name, fact] of this.#aliases) settle(fact, found.get(name), name)
    for (const name of alone ? found.keys() : [])
      assert.ok(this.#aliases.has(name), `${name} was never asked for`)
  }

  async #verifyCiphertext(
    client: JsonClient,
    { keyId, blob, plaintext }: Ciphertext,
  ): Promise<void> {
    const decrypted = await this.#must(client, 'Decrypt', { CiphertextBlob: blob })
    assert.equal(decrypted['Plaintext'], plaintext, `a ciphertext of ${keyId}`)
  }

  async #must(client: JsonClient, operation: string, input: object) {
    const answer = await this.#ask(client, operation, input)
    assert.ok(answer !== undefined, `${operation} got no answer`)
    return answer.body
  }

  /** Asserts that every answer that anybody got is in the record, once. */
  verifyRecord(events: readonly AuditEvent[]): void {
    const eventIds = new Set(events.map((event) => event.eventID))
    assert.equal(eventIds.size, events.length, 'an event stands twice in the record')
    const recorded = events.flatMap(({ requestID }) => (requestID === undefined ? [] : [requestID]))
    const known = new Set(recorded)
    assert.equal(known.size, recorded.length, 'a request stands twice in the record')
    const missing = [...this.#requestIds].filter((id) => !known.has(id))
    assert.deepEqual(missing, [], `${missing.length} answers are not in the record`)
  }
}

/** The value must be the acknowledged one or one of those in doubt; from now on there is no doubt. */
function settle<T>(fact: Fact<T>, found: T, what: string): void {
  const possible = [fact.acknowledged, ...fact.unanswered]
  assert.ok(
    possible.includes(found),
    `${what}: ${found}, but ${possible.join(' or ')} was expected`,
  )
  fact.acknowledged = found
  fact.unanswered = []
}
