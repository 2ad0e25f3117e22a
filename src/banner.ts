import type { Founding } from './founding.ts'
import type { Deployment } from './operator/accounts.ts'

/** What a first start tells: everything that is needed to try it. The secret is shown this once. */
export function foundingBanner(endpoint: string, founding: Founding): string {
  const { accessKeyId, secretAccessKey } = founding.accessKey
  const { account, regions } = founding.deployment
  const secret = founding.generated ? secretAccessKey : '(the one you gave)'
  return `This is a new data folder. Its first account, and the access key of that account's root user:

  account            ${account}
  Regions            ${regions.join(', ')}
  access key id      ${accessKeyId}
  secret access key  ${secret}

The secret is shown this once. Try it:

  export AWS_ENDPOINT_URL=${endpoint} AWS_DEFAULT_REGION=${regions[0]}
  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${founding.generated ? secretAccessKey : '…'}
  aws kms create-key --description 'my first key' --query KeyMetadata.KeyId --output text
  aws kms encrypt --key-id <that id> --plaintext "$(printf hello | base64)"

Who did what: npx kagiban audit export

`
}

export function readyBanner(endpoint: string, { account, regions }: Deployment): string {
  return `Kagiban is ready at ${endpoint} (account ${account}, ${regions.join(', ')})\n`
}
