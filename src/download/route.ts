// How a connection gets to a server: directly, through a proxy, or through a tunnel of the proxy.
import type { Socket } from 'node:net';
import { ResponseParser } from './response-parser.ts';
import type { Endpoint } from './url.ts';

export interface Route {
  /** Connections with equal keys can carry each other's requests. */
  readonly key: string;
  /** Where the connection goes. */
  readonly host: string;
  readonly port: number;
  /** TLS: to the server, or to the proxy when there is one. */
  readonly secure: boolean;
  /** CONNECT through the proxy to this server, then TLS to it. */
  readonly tunnel?: { readonly server: Endpoint; readonly proxy: Endpoint };
}

/** The route to a server; through the proxy if there is one, by CONNECT for https. */
export function routeTo(server: Endpoint, proxy: Endpoint | undefined): Route {
  const first = proxy ?? server;
  const { host, port, secure } = first;
  const key = `${secure ? 'tls' : 'tcp'} ${host} ${port}`;
  if (!proxy || !server.secure) return { key, host, port, secure };
  return { key: `${key} tunnel ${server.host} ${server.port}`, host, port, secure, tunnel: { server, proxy } };
}

/** A TLS socket, over `raw` if given. Peer verification is always on (client.md §7.10). */
export function secureSocket(route: Route, raw: Socket | undefined, authorities: () => readonly string[]): Socket {
  const tls = process.getBuiltinModule('node:tls');
  const { isIP } = process.getBuiltinModule('node:net');
  const { host, port } = raw && route.tunnel ? route.tunnel.server : route;
  const more = authorities();
  const ca = more.length === 0 ? undefined : [...tls.rootCertificates, ...more];
  const target = raw ? { socket: raw } : { port, noDelay: true };
  return tls.connect({ ...target, host, ...(isIP(host) ? {} : { servername: host }), ca, ALPNProtocols: ['http/1.1'] });
}

/** Asks the proxy for a tunnel. `watch` gets the socket at once, to bound the wait and to see errors. */
export function openTunnel(
  route: Route,
  authorities: () => readonly string[],
  watch: (socket: Socket) => void,
): Promise<Socket> {
  const net = process.getBuiltinModule('node:net');
  const { server, proxy } = route.tunnel as NonNullable<Route['tunnel']>;
  const { host, port } = proxy;
  const socket = proxy.secure
    ? secureSocket({ key: '', host, port, secure: true }, undefined, authorities)
    : net.connect({ host, port, noDelay: true });
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
