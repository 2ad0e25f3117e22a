import { JsonClient } from '../tests/support/json-client.ts'
import type { TestServer } from '../tests/support/server.ts'
import { median } from './measure.ts'

/** Median milliseconds of each call, one after the other on one connection. */
export type PageTimes = Readonly<Record<string, number>>

const callsEach = 150
/** Pages of the longest list that are read before a page from its depth is timed. */
const depth = 20

/**
 * Times pages of lists, at their beginning and in their depth, and calls on a key. `keyId` is the key with the grants.
 */
export async function measurePages(server: TestServer, keyId: string): Promise<PageTimes> {
  const client = new JsonClient(server.endpoint, server.credentials)
  const ask = async (operation: string, input: object) => {
    const answer = await client.call(operation, input)
    if (answer?.status !== 200) throw new Error(`${operation}: ${JSON.stringify(answer?.body)}`)
    return answer.body
  }
  const deep = async (operation: string, input: object) => {
    let Marker: unknown
    for (let page = 0; page < depth; page++) {
      const answer = await ask(operation, { ...input, Limit: 1000, Marker })
      if (answer['Truncated'] !== true) return Marker
      Marker = answer['NextMarker']
    }
    return Marker
  }
  const RetiringPrincipal = `arn:aws:iam::${server.account}:root`
  const calls: Readonly<Record<string, readonly [string, object]>> = {
    'ListKeys, first 50': ['ListKeys', { Limit: 50 }],
    'ListKeys, 50 in the depth': ['ListKeys', { Limit: 50, Marker: await deep('ListKeys', {}) }],
    'ListGrants, first 50': ['ListGrants', { KeyId: keyId, Limit: 50 }],
    'ListGrants, 50 in the depth': [
      'ListGrants',
      { KeyId: keyId, Limit: 50, Marker: await deep('ListGrants', { KeyId: keyId }) },
    ],
    'ListRetirableGrants, first 50': ['ListRetirableGrants', { RetiringPrincipal, Limit: 50 }],
    DescribeKey: ['DescribeKey', { KeyId: keyId }],
    Encrypt: ['Encrypt', { KeyId: keyId, Plaintext: 'AAAA' }],
  }
  const times: Record<string, number> = {}
  for (const [name, [operation, input]] of Object.entries(calls)) {
    const taken: number[] = []
    for (let n = 0; n < callsEach; n++) {
      const begun = performance.now()
      await ask(operation, input)
      taken.push(performance.now() - begun)
    }
    times[name] = median(taken)
  }
  client.close()
  return times
}
