import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { parseRegion, type Region } from '../../src/base/ids.ts'
import type { Service } from '../../src/services/operation.ts'
import { type Answer, account, House, region, type Sending } from '../../src/testing/house.ts'
import type { Person } from '../../src/testing/people.ts'
import { type Parameters, query } from '../../src/testing/query-calls.ts'
import { type S3Answer, type S3Sending, s3Call } from '../../src/testing/s3-calls.ts'
import type { HttpRequest } from '../../src/wire/protocol.ts'
import type { Members } from '../../src/wire/schema.ts'
import { normalized } from './normalized.ts'
import { type Secret, secretsIn } from './secrets.ts'

export const elsewhere = parseRegion('eu-west-1') as Region

/** The records that one call left, in the order of the journal, without what is different in each run. */
export type Records = Readonly<Record<string, readonly unknown[]>>

/** A house in which calls are made one after the other, over TLS, and what each leaves in the record is taken down. */
export class Stage {
  readonly house: House
  readonly services: readonly Service[]
  /** A user who may do nothing. */
  readonly clerk: Person
  /** What went through sensitive members of requests and answers. */
  readonly secrets: Secret[] = []
  readonly #written: string[] = []
  readonly #taken = new Map<string, readonly unknown[]>()
  #service: string

  private constructor(house: House, services: readonly Service[], clerk: Person, service: string) {
    this.house = house
    this.services = services
    this.clerk = clerk
    this.#service = service
    const { shared } = house
    const commit = shared.commit.bind(shared)
    shared.commit = (transaction) => {
      this.#written.push(JSON.stringify([transaction, ...shared.archive.values()]))
      return commit(transaction)
    }
  }

  static async open(t: TestContext, service: string): Promise<Stage> {
    let services: readonly Service[] = []
    const house = await House.open(t, {
      regions: [region, elsewhere],
      services: (known) => {
        services = known
        return known
      },
    })
    const clerk = await house.addUser({ name: 'clerk' })
    return new Stage(house, services, clerk, service)
  }

  get records(): Records {
    return Object.fromEntries([...this.#taken].sort(([one], [other]) => (one < other ? -1 : 1)))
  }

  /** All that was kept of the calls, whether it still is or not. */
  get kept() {
    const { journal, logged, shared } = this.house
    const others = journal.others.map(({ record }) => record)
    return {
      'the record': [...journal.records, ...others].join('\n'),
      'the store': [...this.#written, JSON.stringify([...shared.rows.values()])].join('\n'),
      'the log': logged.join('\n'),
    }
  }

  /** What a call of JSON leaves, under the operation's name and what is particular to it. */
  async call(operation: string, input: object, how: How = {}): Promise<Answer['body']> {
    const { note, error, denied = true, ...sending } = how
    const send = (more: Sending) =>
      this.house.call(operation, input, { ...sending, ...more, change: overTls })
    if (denied) await this.#denied(operation, (key) => send({ key }), note)
    const { answer } = await this.#take(named(operation, note), () => send({}))
    assert.equal(answer.error, error, `${operation}: ${answer.reply.body}`)
    this.#saw(operation, input, answer.body)
    return answer.body
  }

  /** What a call of AWS Query leaves. */
  async query(operation: string, parameters: Parameters, how: How = {}) {
    const { note, error, denied = true, change = overTls, ...sending } = how
    const service = this.#service as 'iam' | 'sts'
    const send = (more: Sending) =>
      query(this.house, service, operation, parameters, { ...sending, ...more, change })
    if (denied) await this.#denied(operation, (key) => send({ key }), note)
    const { answer } = await this.#take(named(operation, note), () => send({}))
    assert.equal(answer.code, error, `${operation}: ${answer.text}`)
    this.#saw(operation, parameters, answer.result)
    return answer.result
  }

  /** What a call of S3 leaves; `path` is `/bucket/key`. */
  async s3(operation: string, method: string, path: string, how: S3How = {}): Promise<S3Answer> {
    const { note, error, denied = true, ...sending } = how
    const send = (more: S3Sending) =>
      s3Call(this.house, method, path, { ...sending, ...more, change: overTls })
    if (denied) await this.#denied(operation, (key) => send({ key }), note)
    const { answer } = await this.#take(named(operation, note), () => send({}))
    assert.equal(answer.error, error, `${operation}: ${answer.text}`)
    this.#sawHeaders(operation, sending.headers ?? {})
    return answer
  }

  /** What something leaves that is no call. */
  async happening(name: string, happen: () => Promise<unknown>): Promise<void> {
    await this.#take(name, async () => {
      await happen()
      return undefined
    })
  }

  /** Keys of customers are in headers, in Base64. */
  #sawHeaders(name: string, headers: Readonly<Record<string, string>>): void {
    const s3 = this.services.find(({ signingName }) => signingName === 's3')
    const members = (s3?.operations.get(name)?.input.members ?? {}) as Members
    for (const [member, schema] of Object.entries(members)) {
      const text = schema.http?.in === 'header' ? headers[schema.http.name] : undefined
      if (text === undefined || schema.type !== 'string' || schema.sensitive !== true) continue
      const bytes = Buffer.from(text, 'base64')
      this.secrets.push({ member: `${name} input.${member}`, bytes })
    }
  }

  #saw(name: string, input: unknown, output: unknown): void {
    const all = this.services.map(({ operations }) => operations.get(name))
    const operation = all.find((each) => each !== undefined)
    this.secrets.push(...secretsIn(operation, 'input', input))
    this.secrets.push(...secretsIn(operation, 'output', output))
  }

  async #denied(
    operation: string,
    send: (key: Person) => Promise<{ status: number }>,
    note?: string,
  ) {
    const name = named(operation, note === undefined ? 'denied' : `${note}, denied`)
    const { answer, records } = await this.#take(name, () => send(this.clerk))
    assert.equal(answer.status >= 400, true, `${operation} was not denied`)
    const [record] = records as readonly { errorCode?: string; errorMessage?: string }[]
    assert.equal(record?.errorCode, 'AccessDenied', `${operation}: ${record?.errorMessage}`)
  }

  async #take<A>(name: string, act: () => Promise<A>) {
    const { journal } = this.house
    const before = journal.records.length
    const answer = await act()
    assert.ok(!this.#taken.has(name), `two of ${name}`)
    const records = normalized(journal.events.slice(before))
    assert.ok(records.length > 0, `${name} left no record`)
    this.#taken.set(name, records)
    return { answer, records }
  }
}

export type How = Omit<Sending, 'body'> & {
  /** What is particular to it, where an operation is called several times. */
  readonly note?: string
  /** The error that the caller of the second call hears: one who may call. */
  readonly error?: string
  /** Whether a user who may do nothing calls first. */
  readonly denied?: boolean
}

export type S3How = Omit<S3Sending, 'change'> & Pick<How, 'note' | 'error' | 'denied'>

function named(operation: string, note: string | undefined): string {
  return note === undefined ? operation : `${operation} (${note})`
}

export function overTls(request: HttpRequest): HttpRequest {
  return {
    ...request,
    rawHeaders: [...request.rawHeaders, 'User-Agent', 'records/1'],
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  }
}

export const rootArn = `arn:aws:iam::${account}:root`
