import type { Founding } from './founding.ts'
import type { Deployment } from './operator/accounts.ts'

/** What a first start tells: everything that is needed to try it. The secret is shown this once. */
export function firstStartBanner(
  endpoint: string,
  deployment: Deployment,
  founding: Founding,
): string {
  const { accessKeyId, secretAccessKey } = founding.accessKey
  const secret = founding.generated ? secretAccessKey : '(the one you gave)'
  const [home] = deployment.regions
  return `Kagiban is ready at ${endpoint}

  account            ${deployment.account}
  Regions            ${deployment.regions.join(', ')}
  access key id      ${accessKeyId}
  secret access key  ${secret}

The secret is shown this once. Try it:

  export AWS_ENDPOINT_URL=${endpoint} AWS_DEFAULT_REGION=${home}
  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${founding.generated ? secretAccessKey : '…'}
  aws kms create-key --description 'my first key' --query KeyMetadata.KeyId --output text
  aws kms encrypt --key-id <that id> --plaintext "$(printf hello | base64)"

Who did what: npx kagiban audit export
`
}

export function laterStartBanner(endpoint: string, deployment: Deployment): string {
  return `Kagiban is ready at ${endpoint} (account ${deployment.account}, ${deployment.regions.join(', ')})\n`
}
