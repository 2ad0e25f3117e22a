import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteGroupPolicyCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  type IAMClient,
  PutGroupPolicyCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  type Tag,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetSessionTokenCommand,
  type Credentials as Issued,
  type STSClient,
} from '@aws-sdk/client-sts'
import { present } from './expect.ts'

/** Users, roles and sessions of scenarios, made and changed with AWS's own clients. */
export type SessionCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

export type StatementOf = Readonly<Record<string, unknown>>

export function documentOf(statements: StatementOf | readonly StatementOf[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

export async function addUser(iam: IAMClient, UserName: string, Tags: readonly Tag[] = []) {
  const { User } = await iam.send(new CreateUserCommand({ UserName, Tags: [...Tags] }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  return {
    arn: present(User?.Arn),
    id: present(User?.UserId),
    credentials: {
      accessKeyId: present(AccessKey?.AccessKeyId),
      secretAccessKey: present(AccessKey?.SecretAccessKey),
    },
  }
}

/** A role that trusts these principals with all that a trust policy can give. */
export async function addRole(
  iam: IAMClient,
  RoleName: string,
  trust: StatementOf | readonly StatementOf[],
  options: { readonly Path?: string; readonly Tags?: readonly Tag[] } = {},
) {
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: documentOf(trust),
      Path: options.Path,
      Tags: [...(options.Tags ?? [])],
    }),
  )
  return { arn: present(Role?.Arn), id: present(Role?.RoleId) }
}

export function trusting(
  AWS: string | readonly string[],
  changes: StatementOf = {},
  Action: string | readonly string[] = [
    'sts:AssumeRole',
    'sts:TagSession',
    'sts:SetSourceIdentity',
  ],
): StatementOf {
  return { Effect: 'Allow', Principal: { AWS }, Action, ...changes }
}

export async function addManagedPolicy(
  iam: IAMClient,
  PolicyName: string,
  statements: StatementOf | readonly StatementOf[],
): Promise<string> {
  const { Policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName, PolicyDocument: documentOf(statements) }),
  )
  return present(Policy?.Arn)
}

export async function assumeRole(
  sts: STSClient,
  RoleArn: string,
  options: Partial<AssumeRoleCommandInput> = {},
): Promise<SessionCredentials> {
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'job', ...options }),
  )
  return sessionOf(Credentials)
}

export async function getSessionToken(sts: STSClient): Promise<SessionCredentials> {
  const { Credentials } = await sts.send(new GetSessionTokenCommand({}))
  return sessionOf(Credentials)
}

function sessionOf(issued: Issued | undefined): SessionCredentials {
  return {
    accessKeyId: present(issued?.AccessKeyId),
    secretAccessKey: present(issued?.SecretAccessKey),
    sessionToken: present(issued?.SessionToken),
  }
}

const PolicyName = 'own'

/** The policies of one user, group or role, each of which is set or taken away as a case needs it. */
export class Permissions {
  readonly #iam: IAMClient
  readonly #kind: 'user' | 'role' | 'group'
  readonly #name: string
  readonly #now = new Map<string, string>()

  constructor(iam: IAMClient, kind: 'user' | 'role' | 'group', name: string) {
    this.#iam = iam
    this.#kind = kind
    this.#name = name
  }

  /** The inline policy; undefined: none. */
  async inline(statements: StatementOf | readonly StatementOf[] | undefined): Promise<void> {
    const PolicyDocument = statements === undefined ? undefined : documentOf(statements)
    if (!this.#changes('inline', PolicyDocument)) return
    const name = this.#name
    if (this.#kind === 'user') {
      const own = { UserName: name, PolicyName }
      if (PolicyDocument === undefined) await this.#iam.send(new DeleteUserPolicyCommand(own))
      else await this.#iam.send(new PutUserPolicyCommand({ ...own, PolicyDocument }))
    } else if (this.#kind === 'role') {
      const own = { RoleName: name, PolicyName }
      if (PolicyDocument === undefined) await this.#iam.send(new DeleteRolePolicyCommand(own))
      else await this.#iam.send(new PutRolePolicyCommand({ ...own, PolicyDocument }))
    } else {
      const own = { GroupName: name, PolicyName }
      if (PolicyDocument === undefined) await this.#iam.send(new DeleteGroupPolicyCommand(own))
      else await this.#iam.send(new PutGroupPolicyCommand({ ...own, PolicyDocument }))
    }
  }

  /** The permissions boundary, of a user or a role. */
  async boundary(arn: string | undefined): Promise<void> {
    if (!this.#changes('boundary', arn)) return
    const name = this.#name
    if (this.#kind === 'user') {
      await (arn === undefined
        ? this.#iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName: name }))
        : this.#iam.send(
            new PutUserPermissionsBoundaryCommand({ UserName: name, PermissionsBoundary: arn }),
          ))
    } else {
      await (arn === undefined
        ? this.#iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: name }))
        : this.#iam.send(
            new PutRolePermissionsBoundaryCommand({ RoleName: name, PermissionsBoundary: arn }),
          ))
    }
  }

  /** One managed policy of a user. */
  async managed(PolicyArn: string | undefined): Promise<void> {
    const before = this.#now.get('managed')
    if (!this.#changes('managed', PolicyArn)) return
    const UserName = this.#name
    if (before !== undefined) {
      await this.#iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn: before }))
    }
    if (PolicyArn !== undefined) {
      await this.#iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
    }
  }

  /** The trust policy of a role. */
  async trust(statements: StatementOf | readonly StatementOf[]): Promise<void> {
    const PolicyDocument = documentOf(statements)
    if (!this.#changes('trust', PolicyDocument)) return
    await this.#iam.send(
      new UpdateAssumeRolePolicyCommand({ RoleName: this.#name, PolicyDocument }),
    )
  }

  #changes(what: string, value: string | undefined): boolean {
    if (this.#now.get(what) === value) return false
    if (value === undefined) this.#now.delete(what)
    else this.#now.set(what, value)
    return true
  }
}
