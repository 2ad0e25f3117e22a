import type { Tree } from './merkle.ts'

/** The tree after each of the last batches: a checkpoint in the stream is some batches behind the tree it signs. */
export class RecentTrees {
  readonly #trees: (Tree | undefined)[]
  #last = 0

  constructor(count: number) {
    this.#trees = new Array(count)
  }

  /** The tree after a batch, by the number of the next one. */
  remember(tree: Tree, batch: number): void {
    this.#last = batch
    this.#trees[batch % this.#trees.length] = tree
  }

  /** The tree of that size, if a batch ended there that is not too long ago. */
  ofSize(size: number): Tree | undefined {
    const oldest = Math.max(0, this.#last - this.#trees.length + 1)
    for (let batch = this.#last; batch >= oldest; batch -= 1) {
      const tree = this.#trees[batch % this.#trees.length]
      if (tree === undefined || tree.size < size) return undefined
      if (tree.size === size) return tree
    }
    return undefined
  }
}
