import { ServiceError } from '../../base/errors.ts'

/** The failures of AWS Config, named for the situation. Where AWS's text is not known the sentence is our own. */
export const noSuchRule = (name: string) =>
  new ServiceError(
    'no-such-config-rule',
    `The ConfigRule '${name}' provided in the request is invalid. Please check the configRule name.`,
  )

export const unknownSource = (identifier: string) =>
  new ServiceError(
    'invalid-parameter-value',
    `The sourceIdentifier ${identifier} is invalid. Please refer to the documentation for a list of valid sourceIdentifiers that can be used when AWS is the Owner.`,
  )

export const invalidParameter = (text: string) => new ServiceError('invalid-parameter-value', text)

export const validation = (text: string) => new ServiceError('validation', text)

export const invalidToken = () =>
  new ServiceError('invalid-next-token', 'The specified next token is not valid.')

export const invalidLimit = (max: number) =>
  new ServiceError('invalid-limit', `The limit must be between 0 and ${max}.`)

export const notDiscovered = (type: string, id: string) =>
  new ServiceError(
    'resource-not-discovered',
    `Resource ${id} of resourceType:${type} is unknown or has not been discovered.`,
  )

export const noSuchRecorder = (name: string) =>
  new ServiceError(
    'no-such-recorder',
    `Cannot find configuration recorder with the specified name '${name}'.`,
  )

export const noSuchChannel = (name: string) =>
  new ServiceError(
    'no-such-delivery-channel',
    `Cannot find delivery channel with specified name '${name}'.`,
  )

export const unknownResource = (arn: string) =>
  new ServiceError('resource-not-found', `ResourceArn '${arn}' does not exist.`)
