import { keyArn, parseRegion } from '../../../base/ids.ts'
import { required, structure } from '../../../wire/schema.ts'
import { type Check, operation } from '../../operation.ts'
import { keyIdElement, keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { notPrimary, sameRegion, unknownKey } from '../errors.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { isPrimary, relatedKeys } from '../replication.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:UpdatePrimaryRegion')

type Target = { readonly primary: KeyRecord; readonly related: readonly KeyRecord[] }

export const updatePrimaryRegion = operation({
  name: 'UpdatePrimaryRegion',
  input: structure({
    KeyId: required(shapes.keyId),
    PrimaryRegion: required(shapes.region),
  }),
  output: undefined,
  effects: 'write',
  errors: ['disabled', 'invalid-arn', 'invalid-state', 'not-found', 'unsupported'],
  resolve(call, request, deps: KmsDeps): Target {
    const { key } = resolveKey(call, request.KeyId, rules, deps.state)
    return { primary: key, related: relatedKeys(key, deps) }
  },
  checks: (call, request, { primary, related }, deps): readonly Check[] => {
    const own = { 'kms:PrimaryRegion': request.PrimaryRegion }
    const next = related.find((key) => key.region === request.PrimaryRegion)
    // The permission is needed on both keys, each by its own policy.
    return [primary, ...(next === undefined || next === primary ? [] : [next])].map((key) =>
      managementCheck(call, rules.permission, key, deps, own),
    )
  },
  audit: {
    request: (request) => ({ keyId: request.KeyId, primaryRegion: request.PrimaryRegion }),
    response: (_output, _request, { primary }) => keyIdElement(primary),
    resources: ({ primary }) => [keyResource(primary)],
  },
  handle(_call, request, { primary, related }, { state }) {
    requireState(primary, 'UpdatePrimaryRegion')
    if (!isPrimary(primary)) throw notPrimary(arnOf(primary))
    if (request.PrimaryRegion === primary.region) throw sameRegion(primary.region)
    const next = related.find((key) => key.region === request.PrimaryRegion)
    if (next === undefined) {
      const region = parseRegion(request.PrimaryRegion) ?? primary.region
      throw unknownKey(keyArn(region, primary.account, primary.keyId))
    }
    requireState(next, 'UpdatePrimaryRegion')
    return {
      output: undefined,
      changes: related.map((key) =>
        state.replaceKey(key, {
          ...key,
          replication: {
            type: key === next ? 'PRIMARY' : 'REPLICA',
            primaryRegion: next.region,
          },
        }),
      ),
    }
  },
})
