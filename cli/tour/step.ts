/** A chapter of the tour. */
export type Chapter = {
  readonly title: string
  /** What is about to be seen, and why it matters. */
  readonly text: string
  readonly steps: readonly Step[]
}

/** Who types it: each has an access key, but for the operator, who has the machine. */
export type Person = 'root' | 'anna' | 'ben' | 'carol' | 'operator'

export type Step = {
  readonly as: Person
  /**
   * A line for the shell, as it is shown. `NAME=$(…)` keeps what it prints for the lines behind it, where `$NAME`
   * stands for it.
   */
  readonly line: string
  /** Of a line that has to fail: what its answer has to say. Without it the line has to succeed. */
  readonly refused?: string
  /** What a line that succeeds has to say. */
  readonly says?: string
  /** What it prints is an access key, which is this person's from then on. */
  readonly givesKeyTo?: Person
  /** Files that the line reads, by their names in the folder that all lines are typed in. */
  readonly files?: Readonly<Record<string, string>>
  /** The program that it takes beside a shell; without it, the step is left out, and that is said. */
  readonly needs?: 'openssl'
}
