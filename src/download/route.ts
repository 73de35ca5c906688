// How a connection gets to a server: directly, through a proxy, or through a tunnel of the proxy.
import type { LookupFunction, NetConnectOpts, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ResponseParser } from './response-parser.ts';
import type { Endpoint } from './url.ts';

export interface Route {
  /** Connections with equal keys can carry each other's requests. */
  readonly key: string;
  /** Where the connection goes. */
  readonly host: string;
  readonly port: number;
  /** Name that a certificate has to have, and TLS asks for. */
  readonly serverName: string;
  /** TLS: to the server, or to the proxy when there is one. */
  readonly secure: boolean;
  /** CONNECT through the proxy to this server, then TLS to it. */
  readonly tunnel?: { readonly server: Endpoint; readonly proxy: Endpoint };
  /** PEM of certificates and key that the client shows. Such a connection serves one request. */
  readonly clientCertificate?: string;
}

/** What is needed to open a connection. */
export interface Dialing {
  /** PEM texts besides Node's own. */
  readonly authorities: () => readonly string[];
  readonly lookup: LookupFunction;
}

/** Connections with a certificate of the client are nobody else's. */
let certificates = 0;

/** How long one of several addresses of a name is waited for before the next is tried. Milliseconds. */
const NEXT_ADDRESS_MS = 1000;

/** The route to a server; through the proxy if there is one, by CONNECT for https. */
export function routeTo(server: Endpoint, proxy: Endpoint | undefined, clientCertificate?: string): Route {
  const first = proxy ?? server;
  const { host: serverName, port, secure } = first;
  const host = first.address ?? serverName;
  const more = clientCertificate === undefined || !server.secure ? {} : { clientCertificate };
  const owner = more.clientCertificate === undefined ? '' : ` certificate ${++certificates}`;
  const key = `${secure ? 'tls' : 'tcp'} ${serverName} ${host} ${port}${owner}`;
  if (!proxy || !server.secure) return { key, host, port, serverName, secure, ...more };
  return {
    key: `${key} tunnel ${server.host} ${server.port}`,
    host,
    port,
    serverName,
    secure,
    tunnel: { server, proxy },
    ...more,
  };
}

/** A plain socket to the route's first station. `more`: for net.connect. */
export function openSocket(route: Route, { lookup }: Dialing, more: Partial<NetConnectOpts> = {}): Socket {
  const { host, port } = route;
  return process.getBuiltinModule('node:net').connect({ host, port, ...socketOptions(lookup), ...more });
}

/** A TLS socket, over `raw` if given. Peer verification is always on (client.md §7.10). */
export function secureSocket(route: Route, raw: Socket | undefined, { authorities, lookup }: Dialing): Socket {
  const tls = process.getBuiltinModule('node:tls');
  const { isIP } = process.getBuiltinModule('node:net');
  const { host, port } = route;
  const name = raw && route.tunnel ? route.tunnel.server.host : route.serverName;
  const target = raw ? { socket: raw } : { host, port, ...socketOptions(lookup) };
  return tls.connect({
    ...target,
    // What the certificate has to be for, also where the connection goes to an address.
    ...(isIP(name) ? { host: name } : { servername: name }),
    ...(raw ? {} : { host }),
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
    secureContext: contextFor(authorities(), route.clientCertificate),
    ALPNProtocols: ['http/1.1'],
  });
}

/** Hundreds of authorities are parsed once, not for each connection. */
const contexts = new WeakMap<readonly string[], SecureContext>();

function contextFor(authorities: readonly string[], clientCertificate: string | undefined): SecureContext {
  const tls = process.getBuiltinModule('node:tls');
  const known = contexts.get(authorities);
  if (known && clientCertificate === undefined) return known;
  const own = clientCertificate === undefined ? {} : { cert: clientCertificate, key: clientCertificate };
  const ca = authorities.length === 0 ? undefined : [...tls.rootCertificates, ...authorities];
  const context = tls.createSecureContext({ ca, ...own });
  if (clientCertificate === undefined) contexts.set(authorities, context);
  return context;
}

function socketOptions(lookup: LookupFunction) {
  return { lookup, noDelay: true, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS };
}

/** Asks the proxy for a tunnel. `watch` gets the socket at once, to bound the wait and to see errors. */
export function openTunnel(route: Route, dialing: Dialing, watch: (socket: Socket) => void): Promise<Socket> {
  const { server, proxy } = route.tunnel as NonNullable<Route['tunnel']>;
  const socket = proxy.secure
    ? secureSocket(routeTo(proxy, undefined), undefined, dialing)
    : openSocket(route, dialing);
  watch(socket);
  const target = `${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}`;
  const login = proxy.credentials === undefined ? '' : `Proxy-Authorization: ${proxy.credentials}\r\n`;
  return new Promise((resolve, reject) => {
    let status = 0;
    const parser = new ResponseParser({
      head: (head) => {
        status = head.status;
      },
      body: () => {},
      end: () => {},
    });
    const onData = (bytes: Buffer) => {
      try {
        parser.push(bytes);
      } catch (error) {
        reject(error);
        return;
      }
      if (status === 0) return;
      socket.off('data', onData);
      if (status >= 200 && status < 300) resolve(socket);
      else reject(new Error(`proxy refuses a tunnel to ${target}: HTTP ${status}`));
    };
    socket.on('data', onData);
    socket.once(proxy.secure ? 'secureConnect' : 'connect', () => {
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${login}\r\n`, 'latin1');
    });
  });
}
