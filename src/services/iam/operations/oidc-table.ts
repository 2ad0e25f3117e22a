import type { AnyOperation } from '../../operation.ts'
import {
  addClientIDToOpenIDConnectProvider,
  removeClientIDFromOpenIDConnectProvider,
} from './oidc-provider-client-ids.ts'
import { createOpenIDConnectProvider } from './oidc-provider-create.ts'
import { deleteOpenIDConnectProvider } from './oidc-provider-delete.ts'
import { getOpenIDConnectProvider } from './oidc-provider-get.ts'
import { listOpenIDConnectProviders } from './oidc-provider-list.ts'
import {
  listOpenIDConnectProviderTags,
  tagOpenIDConnectProvider,
  untagOpenIDConnectProvider,
} from './oidc-provider-tags.ts'
import { updateOpenIDConnectProviderThumbprint } from './oidc-provider-thumbprints.ts'

/** Operations on OpenID Connect providers. */
export const oidcOperations: readonly AnyOperation[] = [
  addClientIDToOpenIDConnectProvider,
  createOpenIDConnectProvider,
  deleteOpenIDConnectProvider,
  getOpenIDConnectProvider,
  listOpenIDConnectProviders,
  listOpenIDConnectProviderTags,
  removeClientIDFromOpenIDConnectProvider,
  tagOpenIDConnectProvider,
  untagOpenIDConnectProvider,
  updateOpenIDConnectProviderThumbprint,
]
