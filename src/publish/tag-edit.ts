// Tags of the newest revision, added and removed without a new revision: only the history and the manifest change.
import { commitManifest } from './commit.ts';
import { addTag, headTag, type NewTag, readTags, removeTag, storeHistory, type Tag } from './history-file.ts';
import { withPublisherLock } from './publisher-lock.ts';
import { objectsOf, openRepository, type Repository, type RepositoryLocation } from './repository.ts';

export interface TagEdit {
  readonly add?: NewTag;
  /** Name of a tag. */
  readonly remove?: string;
  /** Default: true, see Commit. */
  readonly durable?: boolean;
}

/** Removes a tag, then adds one. @throws PublishError TAG */
export async function editTags(location: RepositoryLocation, edit: TagEdit): Promise<Repository> {
  return withPublisherLock(location.directory, async () => {
    const repository = openRepository(location);
    const { manifest, fqrn, keysDirectory } = repository;
    const objects = objectsOf(repository);
    let tags: Tag[] = readTags(objects, manifest.history);
    const head = headTag(tags, manifest);
    if (edit.remove !== undefined) tags = removeTag(tags, edit.remove);
    if (edit.add !== undefined) tags = addTag(tags, head, edit.add);
    const history = await storeHistory(objects, fqrn, tags, manifest.history);
    const publishTime = Math.max(Math.floor(Date.now() / 1000), manifest.publishTime);
    const next = { ...manifest, history, publishTime };
    const durable = edit.durable ?? true;
    return { ...repository, manifest: await commitManifest({ objects, keysDirectory, manifest: next, durable }) };
  });
}
