/**
 * The stage on which decision cases are played through the wire: one service, two accounts, few identities, and one key
 * whose policy each case sets. Everything goes through AWS's own clients.
 */
import { AddUserToGroupCommand, CreateGroupCommand } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  type CreateGrantCommandInput,
  CreateKeyCommand,
  EncryptCommand,
  type KMSClient,
  PutKeyPolicyCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts'
import { createAccount } from '../../support/cli.ts'
import { type Clients, clientsOf } from '../../support/clients.ts'
import { present } from '../../support/expect.ts'
import {
  addManagedPolicy,
  addRole,
  addUser,
  assumeRole,
  documentOf,
  getSessionToken,
  Permissions,
  type SessionCredentials,
  type StatementOf,
  trusting,
} from '../../support/iam-people.ts'
import { TestServer } from '../../support/server.ts'

export const home = '111122223333'
export const abroad = '444455556666'
export const region = 'us-east-1'
export const arns = {
  owner: `arn:aws:iam::${home}:root`,
  stranger: `arn:aws:iam::${abroad}:root`,
  alice: `arn:aws:iam::${home}:user/alice`,
  worker: `arn:aws:iam::${home}:role/ops/Worker`,
  job: `arn:aws:sts::${home}:assumed-role/Worker/job`,
  bob: `arn:aws:iam::${abroad}:user/bob`,
  guest: `arn:aws:iam::${abroad}:role/Guest`,
  guestJob: `arn:aws:sts::${abroad}:assumed-role/Guest/job`,
  /** A role whose trust policy the cases set. */
  target: `arn:aws:iam::${home}:role/Target`,
} as const

/**
 * `aliceSession`: what GetSessionToken gave to alice. `worker`, `guest`: sessions of the roles, named `job`.
 */
export type Player = 'owner' | 'alice' | 'aliceSession' | 'worker' | 'stranger' | 'bob' | 'guest'

export type WireCase = {
  readonly rule: string
  readonly name: string
  readonly who: Player
  /** Of the key, besides leave for its owner's root user to put another. */
  readonly policy?: StatementOf | readonly StatementOf[]
  /** The inline policy of the user, or of the role, that asks. */
  readonly identity?: StatementOf | readonly StatementOf[]
  /** Of the group of alice. */
  readonly group?: StatementOf
  /** A managed policy of the user, made with the stage. */
  readonly managed?: ManagedName
  readonly boundary?: ManagedName
  /** Of the role's session: it is assumed for this case alone. */
  readonly session?: Omit<Partial<AssumeRoleCommandInput>, 'RoleArn' | 'PolicyArns'> & {
    readonly managed?: ManagedName
  }
  readonly grant?: Omit<CreateGrantCommandInput, 'KeyId'>
  /** Encrypt under the key, when left out. */
  readonly call?: (kms: KMSClient, key: StageKey) => Promise<unknown>
  /** `kms:Encrypt`, when left out. */
  readonly permission?: string
  /** What stands in the denial behind the key's ARN; `unknown` for the words that a stranger is told. */
  readonly denied?: string
}

export type TrustCase = {
  readonly rule: string
  readonly name: string
  readonly who: Player
  readonly trust: StatementOf | readonly StatementOf[]
  readonly identity?: StatementOf
  readonly request?: Partial<AssumeRoleCommandInput>
  /** `sts:AssumeRole`, when left out. */
  readonly permission?: string
  /** What stands in the denial behind the role's ARN. */
  readonly denied?: string
}

export type StageKey = { readonly id: string; readonly arn: string; readonly alias: string }

export const managedPolicies = {
  all: { Effect: 'Allow', Action: '*', Resource: '*' },
  encrypt: { Effect: 'Allow', Action: 'kms:Encrypt', Resource: '*' },
  decrypt: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' },
  denyEncrypt: [
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: 'kms:Encrypt', Resource: '*' },
  ],
} as const satisfies Readonly<Record<string, StatementOf | readonly StatementOf[]>>

export type ManagedName = keyof typeof managedPolicies

/** Leave to put policies, and to make and revoke grants; nothing of it delegates the use of the key. */
const upkeep: StatementOf = {
  Effect: 'Allow',
  Principal: { AWS: arns.owner },
  Action: ['kms:PutKeyPolicy', 'kms:CreateGrant', 'kms:RevokeGrant'],
  Resource: '*',
  Condition: { ArnEquals: { 'aws:PrincipalArn': arns.owner } },
}

export class Stage {
  readonly server: TestServer
  readonly key: StageKey
  readonly clients: Readonly<Record<Player, Clients>>
  readonly #permissions: Readonly<Record<string, Permissions>>
  readonly #managed: Readonly<Record<'home' | 'abroad', Readonly<Record<ManagedName, string>>>>
  #policy = ''

  private constructor(
    server: TestServer,
    key: StageKey,
    clients: Stage['clients'],
    permissions: Readonly<Record<string, Permissions>>,
    managed: Readonly<Record<'home' | 'abroad', Readonly<Record<ManagedName, string>>>>,
  ) {
    this.server = server
    this.key = key
    this.clients = clients
    this.#permissions = permissions
    this.#managed = managed
  }

  static async open(): Promise<Stage> {
    const server = await TestServer.start({ account: home, regions: [region] })
    const owner = clientsOf(server)
    const stranger = clientsOf(server, await createAccount(server.data, abroad))
    const team = [{ Key: 'team', Value: 'blue' }]
    const alice = await addUser(owner.iam, 'alice', team)
    const bob = await addUser(stranger.iam, 'bob')
    await owner.iam.send(new CreateGroupCommand({ GroupName: 'staff' }))
    await owner.iam.send(new AddUserToGroupCommand({ GroupName: 'staff', UserName: 'alice' }))
    await addRole(owner.iam, 'Worker', trusting(alice.arn), { Path: '/ops/', Tags: team })
    await addRole(stranger.iam, 'Guest', trusting(bob.arn))
    await addRole(owner.iam, 'Target', trusting(alice.arn), { Tags: team })
    const asAlice = clientsOf(server, alice.credentials)
    const asBob = clientsOf(server, bob.credentials)
    const clients = {
      owner,
      stranger,
      alice: asAlice,
      bob: asBob,
      aliceSession: clientsOf(server, await getSessionToken(asAlice.sts)),
      worker: clientsOf(server, await assumeRole(asAlice.sts, arns.worker)),
      guest: clientsOf(server, await assumeRole(asBob.sts, arns.guest)),
    }
    const { KeyMetadata } = await owner.kms.send(
      new CreateKeyCommand({ Tags: [{ TagKey: 'team', TagValue: 'blue' }] }),
    )
    const key = {
      id: present(KeyMetadata?.KeyId),
      arn: present(KeyMetadata?.Arn),
      alias: 'alias/stage',
    }
    await owner.kms.send(new CreateAliasCommand({ AliasName: key.alias, TargetKeyId: key.id }))
    const permissions = {
      alice: new Permissions(owner.iam, 'user', 'alice'),
      staff: new Permissions(owner.iam, 'group', 'staff'),
      worker: new Permissions(owner.iam, 'role', 'Worker'),
      target: new Permissions(owner.iam, 'role', 'Target'),
      bob: new Permissions(stranger.iam, 'user', 'bob'),
      guest: new Permissions(stranger.iam, 'role', 'Guest'),
    }
    const managed = { home: await managedOf(owner), abroad: await managedOf(stranger) }
    return new Stage(server, key, clients, permissions, managed)
  }

  async close(): Promise<void> {
    for (const clients of Object.values(this.clients)) clients.destroy()
    await this.server.discard()
  }

  /** Sets the scene, makes the call, and answers how it failed; undefined when it succeeded. */
  async play(given: WireCase): Promise<unknown> {
    await this.#setPolicies(given)
    const { who, session, grant, call = encrypt } = given
    const own = session === undefined ? undefined : await this.#assume(who, session)
    const grantId = grant && (await this.#grant(grant))
    try {
      await call((own ?? this.clients[who]).kms, this.key)
      return undefined
    } catch (error) {
      return error
    } finally {
      own?.destroy()
      if (grantId !== undefined) {
        const { kms } = this.clients.owner
        await kms.send(new RevokeGrantCommand({ KeyId: this.key.id, GrantId: grantId }))
      }
    }
  }

  /** Sets the trust policy and asks for a session of the role; answers how it failed, or the session. */
  async assumeTarget(given: TrustCase): Promise<SessionCredentials | Error> {
    const { who, identity, trust, request } = given
    await this.#permissions['target']?.trust(trust)
    await this.#permissions[who]?.inline(identity)
    await this.#permissions[who]?.boundary(undefined)
    try {
      return await assumeRole(this.clients[who].sts, arns.target, request)
    } catch (error) {
      if (error instanceof Error) return error
      throw error
    }
  }

  /** What the caller of the case has to be told. */
  refusalOf(given: WireCase): string {
    const { who, permission = 'kms:Encrypt', denied = '', session } = given
    const arn = arnOf[who].replace(/job$/, session?.RoleSessionName ?? 'job')
    const begin = `User: ${arn} is not authorized to perform: ${permission}`
    return denied === 'unknown'
      ? `${begin} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`
      : `${begin} on resource: ${this.key.arn} ${denied}`
  }

  managedArn(who: Player, name: ManagedName): string {
    return this.#managed[isAbroad(who) ? 'abroad' : 'home'][name]
  }

  async #setPolicies(given: WireCase): Promise<void> {
    const { who, policy = [], identity, group, managed, boundary } = given
    await this.putKeyPolicy([upkeep, policy].flat())
    const name = who === 'aliceSession' ? 'alice' : who
    const own = this.#permissions[name]
    await own?.inline(identity)
    await own?.boundary(boundary && this.managedArn(who, boundary))
    if (name === 'alice') {
      await own?.managed(managed && this.managedArn(who, managed))
      await this.#permissions['staff']?.inline(group)
    }
  }

  async putKeyPolicy(statements: readonly StatementOf[]): Promise<void> {
    const Policy = documentOf(statements)
    if (this.#policy === Policy) return
    await this.clients.owner.kms.send(new PutKeyPolicyCommand({ KeyId: this.key.id, Policy }))
    this.#policy = Policy
  }

  async #assume(who: Player, session: NonNullable<WireCase['session']>): Promise<Clients> {
    const { managed, ...options } = session
    const by = isAbroad(who) ? this.clients.bob : this.clients.alice
    const PolicyArns = managed && [{ arn: this.managedArn(who, managed) }]
    const role = isAbroad(who) ? arns.guest : arns.worker
    return clientsOf(this.server, await assumeRole(by.sts, role, { ...options, PolicyArns }))
  }

  async #grant(grant: Omit<CreateGrantCommandInput, 'KeyId'>): Promise<string> {
    const { kms } = this.clients.owner
    const { GrantId } = await kms.send(new CreateGrantCommand({ KeyId: this.key.id, ...grant }))
    return present(GrantId)
  }
}

function isAbroad(who: Player): boolean {
  return who === 'bob' || who === 'guest' || who === 'stranger'
}

export const arnOf: Readonly<Record<Player, string>> = {
  owner: arns.owner,
  stranger: arns.stranger,
  alice: arns.alice,
  aliceSession: arns.alice,
  worker: arns.job,
  bob: arns.bob,
  guest: arns.guestJob,
}

async function managedOf({ iam }: Clients): Promise<Readonly<Record<ManagedName, string>>> {
  const named = async (name: ManagedName) =>
    [name, await addManagedPolicy(iam, name, managedPolicies[name])] as const
  const names = Object.keys(managedPolicies) as ManagedName[]
  return Object.fromEntries(await Promise.all(names.map(named))) as Record<ManagedName, string>
}

const encrypt = (kms: KMSClient, { arn }: StageKey) =>
  kms.send(new EncryptCommand({ KeyId: arn, Plaintext: Buffer.from('x') }))
