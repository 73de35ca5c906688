// Where a repository's messages go (client.md §8.6, §10.2).
import type { Parameters } from '../../config/parameters.ts';
import { Log, type LogSink } from '../../log/log.ts';
import { LogFile } from '../../log/log-file.ts';
import { Complaints, DebugLog, MicroSyslog } from '../../log/sinks.ts';
import { Syslog } from '../../log/syslog.ts';

const ROTATE_AT = 500 * 1024;

/**
 * Complaints go to `report`. A job is somebody's own program: unlike a service it writes to the system's log only where the
 * configuration speaks of it, by CVMFS_SYSLOG_FACILITY, _LEVEL or _PREFIX.
 */
export function openLog(parameters: Parameters, report: (message: string) => void): Log {
  const sinks: LogSink[] = [new Complaints(report)];
  const prefix = parameters.get('CVMFS_SYSLOG_PREFIX') || parameters.fqrn;
  const micro = parameters.get('CVMFS_USYSLOG');
  if (micro) sinks.push(new MicroSyslog(new LogFile({ path: micro, rotateAt: ROTATE_AT, warn: report }), prefix));
  else if (['FACILITY', 'LEVEL', 'PREFIX'].some((name) => parameters.get(`CVMFS_SYSLOG_${name}`))) {
    const facility = parameters.number('CVMFS_SYSLOG_FACILITY', -1);
    sinks.push(
      new Syslog({
        facility: facility >= 0 && facility <= 7 ? facility : undefined,
        level: parameters.number('CVMFS_SYSLOG_LEVEL', 3),
        prefix,
        warn: report,
      }),
    );
  }
  const debug = parameters.get('CVMFS_DEBUGLOG');
  if (debug) sinks.push(new DebugLog(new LogFile({ path: debug, warn: report })));
  return new Log(sinks, Boolean(debug));
}
