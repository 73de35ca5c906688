// Whether and where counters are sent (client.md §10.5).
import type { Parameters } from '../../config/parameters.ts';
import type { TelemetrySettings } from '../../log/telemetry.ts';

const LEAST_RATE = 5;
const DEFAULT_RATE = 300;

/** undefined: nowhere. */
export function telemetry(parameters: Parameters, warn: (message: string) => void): TelemetrySettings | undefined {
  if (!parameters.isOn('CVMFS_TELEMETRY_SEND')) return undefined;
  const [host, port, metric] = ['HOST', 'PORT', 'METRIC_NAME'].map(
    (name) => parameters.get(`CVMFS_INFLUX_${name}`) ?? '',
  );
  if (!host || !port || !metric) {
    warn('CVMFS_TELEMETRY_SEND is on, but CVMFS_INFLUX_HOST, _PORT and _METRIC_NAME are not all set: nothing is sent');
    return undefined;
  }
  return {
    fqrn: parameters.fqrn,
    host,
    port: parameters.number('CVMFS_INFLUX_PORT', 0),
    metric,
    extraTags: parameters.get('CVMFS_INFLUX_EXTRA_TAGS') ?? '',
    extraFields: parameters.get('CVMFS_INFLUX_EXTRA_FIELDS') ?? '',
    rate: Math.max(LEAST_RATE, parameters.number('CVMFS_TELEMETRY_RATE', DEFAULT_RATE)),
    warn,
  };
}
