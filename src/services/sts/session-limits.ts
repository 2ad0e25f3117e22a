import type { CallContext } from '../operation.ts'
import { accessDenied } from './errors.ts'

/**
 * What GetSessionToken gave may call AssumeRole and GetCallerIdentity, and nothing else of STS.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
 */
export function refuseUserSessions({ caller }: CallContext, operationName: string): void {
  if (caller.session !== undefined && caller.type !== 'role-session') {
    throw accessDenied(`Cannot call ${operationName} with session credentials`)
  }
}
