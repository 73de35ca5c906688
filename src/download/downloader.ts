// Downloads from the servers of one repository, through its proxies, with fail-over (client.md §7).
import { existsSync, rmSync } from 'node:fs';
import { readableLabel } from '../objects/label.ts';
import type { TransferRequest, TransferSink, TransferSource } from '../objects/transfer.ts';
import { type DownloadCounters, newCounters } from './counters.ts';
import { Resolver } from './dns/resolver.ts';
import { DownloadError } from './errors.ts';
import { Failover, type FailoverLimits } from './failover.ts';
import { GeoOrder } from './geo-order.ts';
import { MemorySink } from './memory-sink.ts';
import { NetworkMemory } from './network-memory.ts';
import { Proxies } from './proxies.ts';
import type { ProxyChoice } from './proxy-list.ts';
import { type Attempt, Sender } from './sender.ts';
import { type Server, ServerChain } from './server-chain.ts';
import { DEFAULT_SETTINGS, type DownloadSettings } from './settings.ts';
import { type DownloaderStatus, statusOf } from './status.ts';
import { Throttle } from './throttle.ts';

/** Seconds for which a slow way is taken without looking for a faster one, where resets are off. */
const SLOW_BUT_BEST = 300;

export class Downloader implements TransferSource {
  readonly servers: ServerChain;
  readonly proxies: Proxies;
  readonly sender: Sender;
  readonly resolver: Resolver;
  readonly #settings: DownloadSettings;
  readonly #failoverLimits: FailoverLimits;
  readonly #geo: GeoOrder;
  readonly #throttle = new Throttle();
  #counters = newCounters();
  /** Until when slow transfers are put up with, as all else is worse. */
  #patientUntil = 0;
  #closed = false;

  /**
   * `resolver`: where it is shared with other downloaders.
   * Throws DownloadError BAD_URL when a server or proxy is not usable.
   */
  constructor(settings: Partial<DownloadSettings> & Pick<DownloadSettings, 'servers'>, resolver?: Resolver) {
    const all = { ...DEFAULT_SETTINGS, ...settings };
    this.#settings = all;
    const { maxRetries, backoffInit, backoffMax, failoverIndefinitely: indefinitely } = all;
    this.#failoverLimits = { maxRetries, backoffInit, backoffMax, indefinitely };
    this.resolver = resolver ?? new Resolver(all.dns);
    this.sender = new Sender(all, this.resolver, this.#counters);
    this.servers = new ServerChain(all.servers, all.hostResetAfter, all.maxServers);
    const memory = new NetworkMemory(all.stateDirectory, all.name);
    const shared = { settings: all, sender: this.sender, memory };
    this.proxies = new Proxies({ ...shared, resolver: this.resolver, servers: () => this.servers.all });
    this.#geo = new GeoOrder({ ...shared, servers: this.servers, proxies: this.proxies });
    if (all.useGeo) this.#geo.start();
  }

  /** Small things that are not content-addressed, such as the manifest. `limit`: bytes; longer ones are refused. */
  async file(path: string, limit: number): Promise<Buffer> {
    const sink = new MemorySink(limit);
    await this.transfer({ path, label: path.replace(/^\/+/, '') }, sink);
    return sink.take();
  }

  async transfer(request: TransferRequest, sink: TransferSink): Promise<void> {
    const { servers, proxies } = this;
    const ready = proxies.ready;
    if (ready !== undefined) await ready;
    if (proxies.failure) throw proxies.failure;
    if (servers.servers.length === 0) {
      const label = readableLabel(request.label);
      throw new DownloadError('BAD_URL', `cannot download ${label}: no server is configured for it`);
    }
    const started = performance.now();
    const failover = new Failover(this.#failoverLimits);
    let tried: Map<string, string> | undefined;
    let slow: Attempt | undefined;
    for (;;) {
      const now = performance.now();
      const server = servers.current(now);
      const proxy = proxies.current(now, request.shard);
      const attempt = { server, proxy, noCache: failover.noCache, patient: now < this.#patientUntil };
      try {
        await this.sender.send(request, attempt, sink);
        this.#counters.transfers++;
        this.#counters.milliseconds += performance.now() - started;
        return;
      } catch (error) {
        const failure = error as DownloadError;
        tried ??= new Map();
        tried.set(describe(attempt), failure.message);
        if (failure.trickled && !attempt.patient) slow = attempt;
        const step = failover.next(failure.code, { hosts: servers.servers.length, proxies: proxies.groups.total });
        switch (step.kind) {
          case 'again':
            this.#counters.retries++;
            // When another request has left this server or proxy meanwhile there is nothing to wait for.
            if (step.delay > 0 && this.#inUse(attempt)) await sleep(step.delay);
            break;
          case 'proxies-again':
            if (this.#interrupted()) throw await this.#giveUp(request, failure, tried);
            await sleep(step.delay);
            proxies.groups.rebalance();
            break;
          case 'give-up':
            if (!slow || failure.code === 'CANCELED' || failure.code === 'LOCAL_IO') {
              throw await this.#giveUp(request, failure, tried);
            }
            this.#putUpWith(slow);
            slow = undefined;
            break;
          default:
            this.#move(step.kind, attempt, failure);
        }
      }
    }
  }

  counters(): Readonly<DownloadCounters> {
    return this.#counters;
  }

  resetCounters(): void {
    Object.assign(this.#counters, newCounters());
  }

  status(): DownloaderStatus {
    return statusOf(this);
  }

  /** Goes on to the next server, after this one delivered what cannot be verified, or by hand. False: there is only one. */
  switchServer(): boolean {
    const now = performance.now();
    const moved = this.servers.leave(this.servers.current(now), now);
    if (moved) this.#counters.hostSwitches++;
    return moved;
  }

  /** Goes on to the next group of proxies by hand. */
  switchProxyGroup(): void {
    this.proxies.groups.switchGroup(performance.now());
    this.#counters.proxySwitches++;
  }

  /** Asks the Geo-API now. False: there is no usable answer, and the order stays. */
  sortByDistance(): Promise<boolean> {
    return this.#geo.ask();
  }

  /** Closes all connections; transfers in progress fail. */
  close(): void {
    this.#closed = true;
    this.#geo.close();
    this.proxies.close();
    this.sender.close();
  }

  #inUse({ server, proxy }: Attempt): boolean {
    const now = performance.now();
    return this.servers.current(now) === server && this.proxies.current(now) === proxy;
  }

  #move(kind: 'host' | 'proxy' | 'proxies-and-host', { server, proxy }: Attempt, failure: DownloadError): void {
    const { servers, proxies } = this;
    const now = performance.now();
    if (kind === 'proxies-and-host') proxies.groups.restart();
    const moved = kind === 'proxy' ? proxies.groups.leave(proxy, now) : servers.leave(server, now);
    if (!moved) return;
    this.#counters[kind === 'proxy' ? 'proxySwitches' : 'hostSwitches']++;
    const [from, to] = kind === 'proxy' ? [proxy, proxies.current(now)] : [server, servers.current(now)];
    this.#settings.warn(`switching from ${from.name} to ${to.name}: ${failure.message}`);
  }

  /** Slow is not dead: when all else has failed, what delivered little by little is used all the same. */
  #putUpWith({ server, proxy }: Attempt): void {
    const now = performance.now();
    this.servers.returnTo(server, now);
    this.proxies.groups.returnTo(proxy, now);
    this.#patientUntil = now + (this.#settings.proxyResetAfter || SLOW_BUT_BEST) * 1000;
    this.#settings.warn(`${describe({ server, proxy })} is slow, but all others fail: using it`);
  }

  /** Somebody wants endless fail-over to end (client.md §7.6). */
  #interrupted(): boolean {
    const file = `/var/run/cvmfs/interrupt.${this.#settings.name}`;
    if (this.#closed) return true;
    if (!existsSync(file)) return false;
    rmSync(file, { force: true });
    return true;
  }

  async #giveUp(
    request: TransferRequest,
    failure: DownloadError,
    tried: ReadonlyMap<string, string>,
  ): Promise<DownloadError> {
    const { code, status, trickled } = failure;
    this.#counters.failures++;
    if (code !== 'CANCELED' && code !== 'LOCAL_IO') await sleep(this.#throttle.next(performance.now()));
    const reasons = [...tried].map(([where, what]) => `${where}: ${what}`).join('; ');
    const message = `cannot download ${readableLabel(request.label)}: ${reasons}${advice(failure)}`;
    return new DownloadError(code, message, { cause: failure, status, trickled });
  }
}

function describe({ server, proxy }: { server: Server; proxy: ProxyChoice }): string {
  return server.directory !== undefined || !proxy.endpoint ? server.name : `${server.name} through ${proxy.name}`;
}

function advice(failure: DownloadError): string {
  switch (failure.code) {
    case 'PROXY_RESOLVE':
    case 'PROXY_CONNECTION':
    case 'PROXY_TOO_SLOW':
    case 'PROXY_SHORT':
    case 'PROXY_HTTP':
      return ' (check CVMFS_HTTP_PROXY and the proxy)';
    case 'HOST_RESOLVE':
    case 'HOST_CONNECTION':
    case 'HOST_TOO_SLOW':
    case 'HOST_SHORT':
      return ' (check CVMFS_SERVER_URL, CVMFS_HTTP_PROXY and the network)';
    case 'HOST_HTTP':
      return ' (check CVMFS_SERVER_URL and the name of the repository)';
    case 'BAD_DATA':
      return ' (the servers or a proxy deliver damaged data)';
    default:
      return '';
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
