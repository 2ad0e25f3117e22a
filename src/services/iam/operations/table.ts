import type { AnyOperation } from '../../operation.ts'
import { identityOperations } from './identity-table.ts'
import { oidcOperations } from './oidc-table.ts'
import { policyOperations } from './policy-table.ts'

/** Every operation of IAM by its wire name. */
export const iamOperations: ReadonlyMap<string, AnyOperation> = new Map(
  [...identityOperations, ...oidcOperations, ...policyOperations].map((operation) => [
    operation.name,
    operation,
  ]),
)
