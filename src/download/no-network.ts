// Stands in for a downloader where the network must not be used (`--offline`): refuses at once, without trying anything.
import { readableLabel } from '../objects/label.ts';
import type { TransferRequest, TransferSource } from '../objects/transfer.ts';
import { type DownloadCounters, newCounters } from './counters.ts';
import type { Downloader } from './downloader.ts';
import { DownloadError } from './errors.ts';
import type { DownloaderStatus } from './status.ts';

/** What a mounted repository asks of the network. */
export type Network = Pick<Downloader, 'file' | 'transfer' | 'status' | 'counters' | 'switchServer' | 'close'>;

export class NoNetwork implements TransferSource, Network {
  async file(path: string): Promise<Buffer> {
    throw new DownloadError('OFFLINE', `${path.replace(/^\/+/, '')} is on the servers only, and this is --offline`);
  }

  async transfer({ label }: TransferRequest): Promise<void> {
    const name = readableLabel(label);
    throw new DownloadError('OFFLINE', `cannot read ${name}: it is not in the cache, and this is --offline`);
  }

  status(): DownloaderStatus {
    return {
      server: undefined,
      servers: [],
      serverList: [],
      proxy: 'DIRECT',
      proxyGroups: [],
      proxyList: [],
      activeGroup: 0,
      firstFallback: undefined,
      timeouts: { proxied: 0, direct: 0 },
      nameServer: undefined,
      counters: newCounters(),
    };
  }

  counters(): DownloadCounters {
    return newCounters();
  }

  switchServer(): boolean {
    return false;
  }

  close(): void {}
}
