import { CreateRoleCommand } from '@aws-sdk/client-iam'
import { clientsOf } from '../support/clients.ts'
import { JsonClient } from '../support/json-client.ts'
import { rootOf } from '../support/policies.ts'
import { TestServer } from '../support/server.ts'
import { regionNames } from './house-subject.ts'
import { type Answer, Subject } from './subject.ts'
import { granteeNames, type When } from './world.ts'

/** The real server, which can be killed. */
export class ServerSubject extends Subject {
  override readonly account: string
  override readonly otherAccount = undefined
  override readonly regions = regionNames
  override readonly time = undefined
  readonly #server: TestServer
  #clients = new Map<string, JsonClient>()

  private constructor(server: TestServer) {
    super()
    this.#server = server
    this.account = server.account
  }

  static async start(): Promise<ServerSubject> {
    const server = await TestServer.start({ regions: regionNames })
    const clients = clientsOf(server)
    const Principal = { AWS: rootOf(server.account) }
    const statement = { Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [statement],
    })
    for (const RoleName of granteeNames) {
      await clients.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
    }
    clients.destroy()
    return new ServerSubject(server)
  }

  /** Both in the same clock as the server's. */
  override now(): When {
    const now = Date.now()
    return { from: now, to: now }
  }

  override async attempt(
    region: string,
    operation: string,
    input: object,
  ): Promise<Answer | undefined> {
    let client = this.#clients.get(region)
    if (client === undefined) {
      const { endpoint, credentials } = this.#server
      client = new JsonClient(endpoint, credentials, region)
      this.#clients.set(region, client)
    }
    return client.call(operation, input)
  }

  /** SIGKILL to all of its processes at once; then it is started again. */
  async kill(): Promise<void> {
    await this.#server.kill9()
    this.#disconnect()
    await this.#server.restart()
  }

  async discard(): Promise<void> {
    this.#disconnect()
    await this.#server.discard()
  }

  /** What its processes said last. */
  get said(): string {
    return (this.#server.stdout + this.#server.stderr).slice(-4000)
  }

  #disconnect(): void {
    for (const client of this.#clients.values()) client.close()
    this.#clients = new Map()
  }
}
