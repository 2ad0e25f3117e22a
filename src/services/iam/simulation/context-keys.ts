import { foldKey } from '../../../authorize/conditions/folded-names.ts'
import type { PolicyDocument, Statement, Text } from '../../../authorize/policy/document.ts'

/** Of a variable: `${aws:username}`, perhaps with a default. The characters that stand for themselves are none. */
const variable = /\$\{([^*?$},]+)/g

/** Condition keys that policies name in conditions and variables, as they are written first, each once. */
export function contextKeysOf(documents: readonly PolicyDocument[]): readonly string[] {
  return distinctKeys(
    documents.flatMap(({ statements, version }) =>
      statements.flatMap((statement) => [
        ...resourceVariables(statement, version),
        ...conditionKeys(statement, version),
      ]),
    ),
  )
}

/** Keys of the conditions, and of the variables in what they compare with. */
export function conditionKeys(
  { conditions }: Statement,
  version: PolicyDocument['version'],
): readonly string[] {
  return conditions.flatMap(({ key, values }) => [key, ...variablesIn(values, version)])
}

export function resourceVariables(
  { resource }: Statement,
  version: PolicyDocument['version'],
): readonly string[] {
  return variablesIn(resource?.patterns ?? [], version)
}

export function distinctKeys(keys: readonly string[]): readonly string[] {
  const distinct = new Map<string, string>()
  for (const key of keys) if (!distinct.has(foldKey(key))) distinct.set(foldKey(key), key)
  return [...distinct.values()]
}

/** Documents of 2008 know none. */
function variablesIn(texts: readonly Text[], version: PolicyDocument['version']): string[] {
  if (version === '2008-10-17') return []
  return texts.flatMap(({ text }) => [...text.matchAll(variable)].map(([, key = '']) => key))
}
