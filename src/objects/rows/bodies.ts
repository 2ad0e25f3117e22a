/**
 * Where the bytes are that do not live in their rows: each body is written once, whole, under a name of its own, and
 * never changed. Adapters: local files, an upstream S3 engine. A failure is a ServiceError 'internal'.
 */
export interface Bodies {
  /** Nothing of it is there before its first byte comes. */
  create(): NewBody
  open(name: string): Promise<OpenBody>
  /** No failure if there is none. */
  remove(name: string): Promise<void>
  /** Whether the place answers. */
  readonly healthy: boolean
  close(): Promise<void>
}

export interface NewBody {
  /** Resolves once there is room for more. The piece is the body's until `end` is called. */
  add(piece: Buffer): Promise<void>
  /** Resolves with its name, when all of it is durable. */
  end(): Promise<string>
  /** Removes what there is of it, also behind `end`; what cannot be removed now is swept later. Never fails. */
  discard(): Promise<void>
}

export interface OpenBody {
  /** In pieces that are the reader's own; fails when there are not so many. */
  read(start: number, end: number): AsyncIterable<Buffer>
  /** Once nothing is being read any more. Never fails. */
  close(): Promise<void>
}
