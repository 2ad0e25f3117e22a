import { ServiceError } from '../../base/errors.ts'
import { ObjectRefusal } from '../../objects/port.ts'
import type { CallContext } from '../operation.ts'
import { preconditionFailed } from './conditional.ts'
import type { S3Deps } from './deps.ts'
import { missing, type ObjectName } from './object-versions.ts'

/** What S3 says of a write that the store refused. `condition`: the header that it depended on. */
export function refusedWrite(
  error: unknown,
  call: CallContext,
  name: ObjectName,
  condition: string | undefined,
  deps: Pick<S3Deps, 'authorize'>,
): ServiceError | unknown {
  if (error instanceof ServiceError) return error
  if (error instanceof ObjectRefusal && error.code === 'precondition-failed') {
    return preconditionFailed(condition ?? '')
  }
  return missing(error, call, name, deps)
}
