import { type AccountId, rootArn } from '../base/ids.ts'

/**
 * The key policy of a key that was created without one: it leaves the key to the account, as GetKeyPolicy of AWS prints
 * it. https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
export function defaultKeyPolicy(account: AccountId): string {
  return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "${rootArn(account)}"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`
}
