import { keyPermissions } from '../analyse/permissions.ts'

/**
 * Every permission of KMS, as in `kms:Decrypt`.
 * https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
 */
export const kmsPermissions: readonly string[] = [
  ...keyPermissions.map(({ name }) => `kms:${name}`),
  ...['kms:CreateKey', 'kms:GenerateRandom', 'kms:ListAliases', 'kms:ListKeys'],
  ...['kms:ListRetirableGrants', 'kms:RetireGrant', 'kms:SynchronizeMultiRegionKey'],
  ...['kms:ConnectCustomKeyStore', 'kms:CreateCustomKeyStore', 'kms:DeleteCustomKeyStore'],
  ...['kms:DescribeCustomKeyStores', 'kms:DisconnectCustomKeyStore', 'kms:UpdateCustomKeyStore'],
]
