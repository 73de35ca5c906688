// Prints what is in a mounted repository, in the form of a listing: `list-mount MOUNTPOINT`. Runs inside the job.
import { readXattrs } from '../../src/publish/xattr-scan.ts';
import { formatListing, listTree } from './tree-listing.ts';

async function main(mountpoint: string): Promise<void> {
  const xattrs = new Map(await readXattrs(mountpoint));
  // The client's own attributes are shown there.
  xattrs.delete('');
  process.stdout.write(formatListing(listTree(mountpoint, xattrs)));
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
