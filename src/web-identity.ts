import type { Authenticated } from './authenticate/authenticator.ts'
import type { Region } from './base/ids.ts'
import type { WebIdentities } from './federation/web-identities.ts'
import type { Identities } from './identities/identities.ts'
import type { Addressed } from './record/call.ts'
import { networkOf } from './record/network.ts'
import { headerOf, sourceIp } from './record/request.ts'
import type { Service } from './services/operation.ts'
import { assumeRoleWithWebIdentity } from './services/sts/operations/assume-role-with-web-identity.ts'
import { askedRole } from './services/sts/role.ts'
import type { HttpRequest } from './wire/protocol.ts'
import type { Value } from './wire/schema.ts'

export type UnsignedOptions = {
  readonly sts: Service
  readonly identities: Identities
  readonly webIdentities: WebIdentities
  /** Where calls are taken to be made that name no Region. */
  readonly homeRegion: Region
}

/**
 * The one action that nobody signs. What it answers is who the token says it comes from, once that is verified; it is
 * undefined for every other request, which has to be signed.
 */
export function unsignedCalls({
  sts,
  identities,
  webIdentities,
  homeRegion,
}: UnsignedOptions): (
  request: HttpRequest,
  addressed: Addressed | undefined,
) => Promise<Authenticated> | undefined {
  const { name, input } = assumeRoleWithWebIdentity
  const { protocol, signingName } = sts
  const version = protocol.name === 'query' ? protocol.version : undefined

  async function identify(request: HttpRequest, addressed: Addressed): Promise<Authenticated> {
    const asked = addressed.protocol.decode(input, request) as Value<typeof input>
    const { account } = askedRole(identities, asked.RoleArn)
    const source = networkOf(sourceIp(request))
    const caller = await webIdentities.identify(account, asked.WebIdentityToken, source)
    return { caller, region: homeRegion, service: signingName, accessKeyId: '' }
  }

  return (request, addressed) => {
    if (addressed?.operationName !== name || addressed.version !== version) return undefined
    return isSigned(request) ? undefined : identify(request, addressed)
  }
}

/** In a header or in the query: whichever it is, the authenticator has to look at it. */
function isSigned(request: HttpRequest): boolean {
  return headerOf(request, 'authorization') !== undefined || /[?&]x-amz-/i.test(request.target)
}
