// Finds the cache place of atlas.cern.ch as whoever runs it, in a process of its own. Arguments: the user id, a directory
// like /etc/cvmfs, the places for private directories (joined by colons), and KEY=VALUE. Prints JSON.
import { cachePlace } from '../../src/config/cache-place.ts';
import { Parameters } from '../../src/config/parameters.ts';

const [user, systemDirectory, parents, ...options] = process.argv.slice(2);
try {
  const parameters = Parameters.load({ fqrn: 'atlas.cern.ch', options, environment: {}, systemDirectory });
  console.log(
    JSON.stringify(cachePlace(parameters, Number(user), { shared: parents.split(':'), scratch: [], homes: [] })),
  );
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  console.log(JSON.stringify({ code, message }));
}
