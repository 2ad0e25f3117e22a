import { ServiceError } from '../../base/errors.ts'

/** The failures of IAM, in its words. */
export function noSuchUser(userName: string): ServiceError {
  return noSuchEntity(`The user with name ${userName} cannot be found.`)
}

export function noSuchGroup(groupName: string): ServiceError {
  return noSuchEntity(`The group with name ${groupName} cannot be found.`)
}

export function noSuchRole(roleName: string): ServiceError {
  return noSuchEntity(`The role with name ${roleName} cannot be found.`)
}

export function noSuchPolicy(arn: string): ServiceError {
  return noSuchEntity(`Policy ${arn} does not exist or is not attachable.`)
}

export function noSuchAccessKey(accessKeyId: string): ServiceError {
  return noSuchEntity(`The Access Key with id ${accessKeyId} cannot be found.`)
}

export function noSuchBoundary(arn: string): ServiceError {
  return noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`)
}

export function noSuchEntity(text: string): ServiceError {
  return new ServiceError('no-such-entity', text)
}

/** `what`: `User`, `Role`, `Group`. */
export function alreadyExists(what: string, name: string): ServiceError {
  return new ServiceError('entity-exists', `${what} with name ${name} already exists.`)
}

export function deleteConflict(text: string): ServiceError {
  return new ServiceError('delete-conflict', text)
}

/** As in `Cannot exceed quota for UsersPerAccount: 5000`. */
export function quotaExceeded(quota: string, limit: number): ServiceError {
  return new ServiceError('limit-exceeded', `Cannot exceed quota for ${quota}: ${limit}`)
}

export function concurrentModification(): ServiceError {
  return new ServiceError(
    'concurrent-modification',
    'The request was rejected because multiple requests to change this object were submitted simultaneously. Wait a few minutes and submit your request again.',
  )
}

export function invalidInput(text: string): ServiceError {
  return new ServiceError('invalid-input', text)
}

export function validation(text: string): ServiceError {
  return new ServiceError('validation', text)
}
