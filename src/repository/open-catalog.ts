import type { ObjectRequest } from '../objects/object.ts';
import { Catalog } from './catalog.ts';
import { type ObjectReader, openObject } from './source.ts';

/** The catalog, made local first if need be. @throws RepositoryError BadSchema, BadCatalog, and why it cannot be fetched */
export async function openCatalog(store: ObjectReader, request: ObjectRequest): Promise<Catalog> {
  return Catalog.open(await openObject(store, request, true), request.hash);
}
