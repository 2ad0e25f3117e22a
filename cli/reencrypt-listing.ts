import { type S3Client, textIn, xmlOf } from './s3-client.ts'

export type Listed = { readonly key: string; readonly size: number }

/** The objects of a bucket in the order of their keys, behind `after`. */
export async function* objectsOf(
  client: S3Client,
  bucket: string,
  prefix: string,
  after: string,
): AsyncGenerator<Listed> {
  for (let last = after; ; ) {
    const answer = await client.bucket('GET', bucket, {
      query: {
        ...{ 'list-type': '2', prefix, 'encoding-type': 'url' },
        ...(last !== '' && { 'start-after': last }),
      },
    })
    const page = xmlOf(answer)
    for (const each of page.children) {
      if (each.name !== 'Contents') continue
      last = decoded(textIn(each, 'Key') ?? '')
      yield { key: last, size: Number(textIn(each, 'Size')) }
    }
    if (textIn(page, 'IsTruncated') !== 'true') return
  }
}

/** How many versions there are that are not the latest of their key, delete markers aside. */
export async function countOlderVersions(
  client: S3Client,
  bucket: string,
  prefix: string,
): Promise<number> {
  let count = 0
  let markers: Readonly<Record<string, string>> = {}
  for (;;) {
    const query = { versions: '', prefix, 'encoding-type': 'url', ...markers }
    const page = xmlOf(await client.bucket('GET', bucket, { query }))
    const versions = page.children.filter(({ name }) => name === 'Version')
    count += versions.filter((each) => textIn(each, 'IsLatest') === 'false').length
    if (textIn(page, 'IsTruncated') !== 'true') return count
    const id = textIn(page, 'NextVersionIdMarker')
    markers = {
      'key-marker': decoded(textIn(page, 'NextKeyMarker') ?? ''),
      ...(id !== undefined && { 'version-id-marker': id }),
    }
  }
}

/** S3 writes a space as a plus sign, and a plus sign with a percent sign. */
function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
