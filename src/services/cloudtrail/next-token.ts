import { hash } from 'node:crypto'
import { ServiceError } from '../../base/errors.ts'

/**
 * A token that says where the next page begins, good only together with the parameters of the page before. It needs
 * no secret: whoever forges one reads his own account's events from another place.
 */
export function nextToken(position: number, parameters: readonly unknown[]): string {
  const digest = hash('sha256', JSON.stringify([parameters, position]), 'base64url')
  return `${position.toString(36)}.${digest}`
}

/** Throws 'invalid-next-token' for any token that was not given out for these very parameters. */
export function positionIn(token: string, parameters: readonly unknown[]): number {
  const position = Number.parseInt(token.split('.', 1)[0] ?? '', 36)
  if (!Number.isSafeInteger(position) || nextToken(position, parameters) !== token) {
    throw new ServiceError(
      'invalid-next-token',
      'The specified next token is not valid for these parameters.',
    )
  }
  return position
}
