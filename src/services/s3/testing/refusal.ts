import type { House } from '../../../testing/house.ts'
import { type S3Sending, s3Call } from '../../../testing/s3-calls.ts'

/** Status, code and text of what a call answers. */
export async function refusal(house: House, method: string, path: string, sending?: S3Sending) {
  const { status, error, message } = await s3Call(house, method, path, sending)
  const text = message?.replaceAll('&apos;', "'").replaceAll('&quot;', '"').replaceAll('&lt;', '<')
  return [status, error, text]
}
