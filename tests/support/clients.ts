import { CloudTrailClient } from '@aws-sdk/client-cloudtrail'
import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'
import { STSClient } from '@aws-sdk/client-sts'
import type { TestServer } from './server.ts'
import type { Credentials } from './signer.ts'

export type Clients = {
  readonly kms: KMSClient
  readonly sts: STSClient
  readonly iam: IAMClient
  readonly cloudtrail: CloudTrailClient
  destroy(): void
}

/** The JS SDK's clients, as a user would make them; no retries, so that every answer is seen. */
export function clientsOf(
  server: Pick<TestServer, 'endpoint' | 'credentials' | 'region'>,
  credentials: Credentials = server.credentials,
  region: string = server.region,
): Clients {
  const settings = {
    endpoint: server.endpoint,
    region,
    credentials,
    maxAttempts: 1,
    requestHandler: { requestTimeout: 20_000, connectionTimeout: 5000 },
  }
  const kms = new KMSClient(settings)
  const sts = new STSClient(settings)
  const iam = new IAMClient({ ...settings, region: 'us-east-1' })
  const cloudtrail = new CloudTrailClient(settings)
  return {
    kms,
    sts,
    iam,
    cloudtrail,
    destroy() {
      kms.destroy()
      sts.destroy()
      iam.destroy()
      cloudtrail.destroy()
    },
  }
}
