import { CreateKeyCommand, type CreateKeyCommandInput, type KMSClient } from '@aws-sdk/client-kms'
import { type Clients, clientsOf } from './clients.ts'
import { present } from './expect.ts'
import { TestServer } from './server.ts'

export type Key = { readonly id: string; readonly arn: string }

export const [hereRegion, thereRegion] = ['us-east-1', 'eu-west-1'] as const

/**
 * A server of two Regions with a client of the JS SDK in each, which remember how each operation was answered:
 * 'done', or the name of the error.
 */
export class TwoRegions {
  readonly answers = new Map<string, Set<string>>()
  #server: TestServer | undefined
  #here: Clients | undefined
  #there: Clients | undefined

  async start(): Promise<void> {
    this.#server = await TestServer.start({ regions: [hereRegion, thereRegion] })
    this.#here = this.#watched(clientsOf(this.#server))
    this.#there = this.#watched(clientsOf(this.#server, this.#server.credentials, thereRegion))
  }

  async stop(): Promise<void> {
    this.#here?.destroy()
    this.#there?.destroy()
    await this.#server?.discard()
  }

  get server(): TestServer {
    return present(this.#server, 'a started server')
  }

  get here(): KMSClient {
    return present(this.#here, 'a started server').kms
  }

  get there(): KMSClient {
    return present(this.#there, 'a started server').kms
  }

  async newKey(input: CreateKeyCommandInput = {}): Promise<Key> {
    const { KeyMetadata } = await this.here.send(new CreateKeyCommand(input))
    return { id: present(KeyMetadata?.KeyId), arn: present(KeyMetadata?.Arn) }
  }

  #watched(clients: Clients): Clients {
    clients.kms.middlewareStack.add(
      (next, context) => async (args) => {
        const name = String(context['commandName'])
        const seen = this.answers.get(name) ?? new Set()
        this.answers.set(name, seen)
        try {
          const answer = await next(args)
          seen.add('done')
          return answer
        } catch (error) {
          seen.add(error instanceof Error ? error.name : String(error))
          throw error
        }
      },
      { step: 'initialize', name: 'watched' },
    )
    return clients
  }
}
