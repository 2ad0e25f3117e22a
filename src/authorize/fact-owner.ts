import type { Side } from './evidence.ts'

/**
 * Whose fact the value of a condition key is, where caller and resource are of two accounts: what an account says of
 * its principals is none of the other's business, nor what it says of its keys. What the request itself says is known
 * to both. `foldedKey` is as conditions are looked up by.
 */
export function ownerOfFact(foldedKey: string): Side | 'request' {
  if (ofResource.test(foldedKey)) return 'resource'
  return ofRequest.test(foldedKey) ? 'request' : 'caller'
}

const ofResource =
  /^(?:aws:resource|iam:resourcetag\/|s3:existingobjecttag\/|s3:resourceaccount$|kms:(?:customermasterkey(?:spec|usage)|key(?:origin|spec|usage)|multiregion|multiregionkeytype|resourcealiases|trailingdayswithoutkeyusage)$)/

/** All of KMS's that are no property of the key, and the global keys that are about the call and not its caller. */
const ofRequest =
  /^(?:kms:|sts:|iam:|s3:|aws:(?:calledvia|currenttime|epochtime|referer|request|securetransport|source(?:ip|arn|account|org|vpc)|tagkeys|useragent|via|vpcsourceip))/
