/** Done at once, or later: what takes long does not hold up the rest. */
export type Soon<T> = T | Promise<T>

/** Goes on with a value at once where it is there. */
export function when<T, U>(value: Soon<T>, use: (value: T) => U): Soon<U> {
  return value instanceof Promise ? value.then(use) : use(value)
}
