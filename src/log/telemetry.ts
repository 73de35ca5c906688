// Counters for a site's monitoring: packets of the InfluxDB line protocol over UDP (client.md §10.5). Of two measurements,
// `<name>_absolute` has what was counted since the mount and `<name>_delta` what was since the packet before.
import type { Socket } from 'node:dgram';

export interface TelemetrySettings {
  readonly fqrn: string;
  readonly host: string;
  readonly port: number;
  /** CVMFS_INFLUX_METRIC_NAME */
  readonly metric: string;
  /** As `name=value,…`; '' for none. */
  readonly extraTags: string;
  readonly extraFields: string;
  /** Seconds. */
  readonly rate: number;
  readonly warn: (message: string) => void;
}

export type Counters = ReadonlyMap<string, number>;

export class Telemetry {
  readonly #settings: TelemetrySettings;
  readonly #count: () => Counters;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #before: Counters = new Map();
  #failed = false;

  private constructor(settings: TelemetrySettings, count: () => Counters, socket: Socket) {
    this.#settings = settings;
    this.#count = count;
    this.#socket = socket;
    this.#timer = setInterval(() => this.#send(), settings.rate * 1000);
    this.#timer.unref();
  }

  static async start(settings: TelemetrySettings, count: () => Counters): Promise<Telemetry> {
    const { createSocket } = await import('node:dgram');
    const socket = createSocket(settings.host.includes(':') ? 'udp6' : 'udp4');
    socket.unref();
    const telemetry = new Telemetry(settings, count, socket);
    socket.on('error', (error) => telemetry.#fail(error));
    return telemetry;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #send(): void {
    const now = this.#count();
    const delta = new Map([...now].map(([name, value]) => [name, value - (this.#before.get(name) ?? 0)]));
    this.#before = now;
    const time = `${Date.now()}000000`;
    for (const [kind, counters] of [
      ['absolute', now],
      ['delta', delta],
    ] as const) {
      const line = influxLine(this.#settings, kind, counters, time);
      if (line)
        this.#socket.send(line, this.#settings.port, this.#settings.host, (error) => error && this.#fail(error));
    }
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    const { host, port } = this.#settings;
    this.#settings.warn(
      `cannot send counters to ${host}:${port}: ${error.message} (check CVMFS_INFLUX_HOST and _PORT)`,
    );
  }
}

/** A packet; undefined where there is nothing to tell. `time`: nanoseconds since 1970. */
export function influxLine(
  { fqrn, metric, extraTags, extraFields }: Pick<TelemetrySettings, 'fqrn' | 'metric' | 'extraTags' | 'extraFields'>,
  kind: 'absolute' | 'delta',
  counters: Counters,
  time: string,
): string | undefined {
  const fields = [...counters].filter(([, value]) => value !== 0).map(([name, value]) => `${name}=${value}`);
  if (fields.length === 0) return undefined;
  const tags = [`repo=${fqrn}`, extraTags].filter(Boolean).join(',');
  return `${metric}_${kind},${tags} ${[...fields, extraFields].filter(Boolean).join(',')} ${time}`;
}
