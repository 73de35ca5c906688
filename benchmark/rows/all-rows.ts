// All rows, with the limits that the project has set itself and the figures of the reference client 2.12.
import type { BigTreePlaces } from '../big-tree.ts';
import { FILES_PER_READER, type FileLists, READERS } from '../file-lists.ts';
import { LIST_ALL } from './listing.ts';
import { memoryRow } from './memory.ts';
import { requestsRow } from './requests.ts';
import type { Row } from './row.ts';
import { startRow } from './start.ts';
import { workRow } from './work.ts';

export function allRows(places: BigTreePlaces, lists: FileLists): Row[] {
  return [
    workRow(
      {
        id: 'find-ls',
        title: '`find -ls`, all of the tree',
        limit: { cold: 4, hot: 2.5 },
        reference: { cold: 11.9, hot: 12 },
      },
      { script: LIST_ALL },
    ),
    workRow(
      {
        id: 'find-type',
        title: '`find -type f`, all of the tree',
        limit: { cold: 3, hot: 2 },
        reference: { cold: 4.7, hot: 4.4 },
      },
      { script: 'find . -type f >/dev/null' },
    ),
    workRow(
      {
        id: 'tar',
        title: '`tar cf - DIR \\| wc -c`, 20,000 small files, 292 MB',
        limit: { cold: 6.5, hot: 2.2 },
        reference: { cold: 6.9, hot: 2.7 },
      },
      // Owners are numbers and the same, so that the sizes agree.
      { script: 'tar cf - --owner=0 --group=0 "$1" | wc -c', words: [places.smallFiles] },
    ),
    workRow(
      {
        id: 'random',
        title: '5,000 small files in random order, one reader',
        limit: { cold: 3.3, hot: 0.75 },
        reference: { cold: 3.7, hot: 0.94 },
      },
      { script: 'xargs -a "$1" -n 5000 -s 1000000 cat >/dev/null', words: [lists.random] },
    ),
    workRow(
      {
        id: 'readers',
        title: '8 parallel readers, 1,000 small files each',
        limit: { cold: 2.7, hot: 0.6 },
        reference: { cold: 3, hot: 0.74 },
      },
      {
        script: `xargs -a "$1" -n ${FILES_PER_READER} -s 1000000 -P ${READERS} cat >/dev/null`,
        words: [lists.readers],
      },
    ),
    workRow(
      {
        id: 'dd',
        title: '`dd bs=1M` of one chunked file of 300 MB',
        limit: { cold: 1, hot: 0.15 },
        reference: { cold: 1.56, hot: 0.15 },
      },
      { script: 'dd bs=1M if="$1" of=/dev/null status=none', words: [places.largeFile] },
    ),
    workRow(
      {
        id: 'grep',
        title: '`grep -r` over 11,000 headers',
        limit: { cold: 3.9, hot: 0.9 },
        reference: { cold: 4.3, hot: 1.2 },
      },
      { script: 'grep -r -F ETIMEDOUT "$1" | wc -l', words: [places.headers] },
    ),
    workRow(
      { id: 'second-find', title: 'second `find -ls` in the same mount', limit: { hot: 1.5 }, reference: {} },
      { before: LIST_ALL, script: LIST_ALL },
    ),
    requestsRow(),
    memoryRow('resident'),
    memoryRow('proportional'),
    startRow(),
  ];
}
