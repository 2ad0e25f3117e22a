import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ourNodeTest = import.meta.resolve('./node-test.ts')

/**
 * Loads the sandbox's modules anew for every mutant, with all that they keep: what one mutant left behind in a module
 * must neither kill the next nor save it, and code that runs as a module is loaded is run for every mutant.
 * Packages are loaded once.
 */
export class Worlds {
  readonly #sandbox: string
  readonly #stripped = new Map<string, string>()
  #number = 0

  /** @param directory of the sandbox, absolute */
  constructor(directory: string) {
    this.#sandbox = `${pathToFileURL(directory)}/`
    registerHooks({
      resolve: (specifier, context, next) => {
        const isSandboxed = context.parentURL?.startsWith(this.#sandbox) === true
        if (specifier === 'node:test' && isSandboxed) {
          return { url: ourNodeTest, format: 'module', shortCircuit: true }
        }
        const resolved = next(specifier, context)
        if (!this.#isOurs(resolved.url)) return resolved
        return { ...resolved, url: `${resolved.url.split('?')[0]}?world=${this.#number}` }
      },
      load: (url, context, next) => {
        if (!this.#isOurs(url)) return next(url, context)
        return { format: 'module', source: this.#source(url), shortCircuit: true }
      },
    })
  }

  /** From now on modules are loaded anew. */
  begin(): void {
    this.#number++
  }

  /** @param path from the root of the sandbox */
  async load(path: string): Promise<void> {
    await import(pathToFileURL(join(fileURLToPath(this.#sandbox), path)).href)
  }

  #isOurs(url: string): boolean {
    return (
      url.startsWith(this.#sandbox) && /\.ts(?:\?|$)/.test(url) && !url.includes('/node_modules/')
    )
  }

  #source(url: string): string {
    const path = fileURLToPath(url)
    let source = this.#stripped.get(path)
    if (source === undefined) {
      source = stripTypeScriptTypes(readFileSync(path, 'utf8'))
      this.#stripped.set(path, source)
    }
    return source
  }
}
