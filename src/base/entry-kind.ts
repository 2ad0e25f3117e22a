/**
 * What an entry of the journal is:
 * - `event`: the text of one CloudTrail event.
 * - `digest`: what was said of a digest file that was delivered to a trail's bucket, so that the log covers it.
 * - `checkpoint`: a signed checkpoint of another log, in the root log that is over the logs of all processes.
 * - `item`: a configuration item: what a resource was like from one change on.
 *
 * Each is a JSON object that has its own id as the member `eventID`, but a `checkpoint`, which is a signed note.
 */
export type EntryKind = 'event' | 'digest' | 'checkpoint' | 'item'
