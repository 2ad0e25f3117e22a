import { hash } from 'node:crypto'
import { invalidArgument } from './request.ts'

/** A key in Base64, and the digest. */
const tokenLengthMax = 1500

/**
 * A token that says behind which name the next page begins, good only for the same bucket, prefix and delimiter. It
 * needs no secret: whoever forges one has what `start-after` gives him.
 */
export function continuationToken(after: string, listing: readonly unknown[]): string {
  const digest = hash('sha256', JSON.stringify([listing, after]), 'buffer').subarray(0, 18)
  return Buffer.concat([digest, Buffer.from(after)]).toString('base64url')
}

/** Throws 'InvalidArgument' for any token that was not given out for this very listing. */
export function placeIn(token: string, listing: readonly unknown[]): string {
  if (token.length <= tokenLengthMax) {
    const after = Buffer.from(token, 'base64url').subarray(18).toString()
    if (after !== '' && continuationToken(after, listing) === token) return after
  }
  throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
}
