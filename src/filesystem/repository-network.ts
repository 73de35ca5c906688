// How a mounted repository reaches its servers, and on whose behalf.
import { DEFAULT_SEARCH_PATH } from '../authz/settings.ts';
import type { Resolver } from '../download/dns/resolver.ts';
import { Downloader } from '../download/downloader.ts';
import { type Network, NoNetwork } from '../download/no-network.ts';
import type { Caller } from '../objects/caller.ts';
import { Membership } from './membership.ts';
import type { RepositorySettings } from './mounted-repository.ts';

type Settings = Pick<
  RepositorySettings,
  'fqrn' | 'servers' | 'externalServers' | 'offline' | 'authz' | 'report' | 'log'
>;

export class RepositoryNetwork {
  readonly source: Network;
  /** For external data; undefined when no server for it is known. */
  readonly external: Network | undefined;
  readonly membership: Membership;
  /** The kernel's present caller, for headers that tell whose request it was; set by whoever serves the repository. */
  caller: Caller | undefined;

  /** @throws DownloadError BAD_URL for a server or proxy that is not usable */
  constructor(settings: Settings) {
    const { fqrn, report, offline, servers, externalServers } = settings;
    this.membership = new Membership(settings.authz ?? unconfigured(fqrn), report);
    // One for all: what names mean does not depend on who asks.
    let resolver: Resolver | undefined;
    const open = (some: Settings['servers']): Network => {
      if (offline) return new NoNetwork();
      const downloader = new Downloader(
        { ...some, warn: report, requester: () => this.caller, credential: () => this.membership.credential },
        resolver,
      );
      resolver = downloader.resolver;
      return downloader;
    };
    this.source = open(servers);
    this.external = externalServers && open(externalServers);
  }

  /** Ends transfers in progress. */
  close(): void {
    this.source.close();
    this.external?.close();
    this.membership.close();
  }
}

function unconfigured(fqrn: string) {
  const handshake = { fqrn, syslog_facility: 0, syslog_level: 3 };
  return { searchPath: DEFAULT_SEARCH_PATH, environment: {}, handshake, rootIsExempt: false };
}
