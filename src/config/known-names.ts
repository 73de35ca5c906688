// The parameters that there are (client.md §8.6), to tell a misspelt one from a variable that somebody made up for symbolic
// links or for other parameters.

/** Without CVMFS_. */
const NAMES = `
ALIEN_CACHE ALT_ROOT_PATH ARCH AUTHZ_HELPER AUTHZ_SEARCH_PATH AUTO_UPDATE
BACKOFF_INIT BACKOFF_MAX BASE_ENV BLACKLIST BUNDLE_POOL_SIZE
CACHE_ALIEN CACHE_BASE CACHE_DIR CACHE_PRIMARY CACHE_QUOTA_LIMIT CACHE_REFCOUNT CACHE_SYMLINKS CACHE_WORKSPACE
CATALOG_WATERMARK
CHECK_PERMISSIONS CLAIM_OWNERSHIP CLIENT_PROFILE CONFIG_REPOSITORY CONFIG_REPO_DEFAULT_ENV CONFIG_REPO_REQUIRED CPU_AFFINITY
DEBUGLOG DEFAULT_DOMAIN DNS_MAX_TTL DNS_MIN_TTL DNS_RETRIES DNS_ROAMING DNS_SERVER DNS_TIMEOUT
ENFORCE_ACLS EXTERNAL_FALLBACK_PROXY EXTERNAL_HTTP_PROXY EXTERNAL_MAX_SERVERS EXTERNAL_METALINK EXTERNAL_TIMEOUT
EXTERNAL_TIMEOUT_DIRECT EXTERNAL_URL
FAILOVER_INDEFINITELY FALLBACK_PROXY FOLLOW_REDIRECTS FQRN FUSE3_IDLE_THREADS FUSE3_MAX_THREADS FUSE_NOTIFY_INVALIDATION
GID_MAP HIDE_MAGIC_XATTRS HOST_RESET_AFTER HTTP_PROXY HTTP_TRACING HTTP_TRACING_HEADERS
INFLUX_EXTRA_FIELDS INFLUX_EXTRA_TAGS INFLUX_HOST INFLUX_METRIC_NAME INFLUX_PORT INITIAL_GENERATION INSTRUMENT_FUSE
IPFAMILY_PREFER IPV4_ONLY
KCACHE_TIMEOUT KEYS_DIR LIBRARY_PATH LOW_SPEED_LIMIT
MAGIC_XATTRS_VISIBILITY MAX_IPADDR_PER_PROXY MAX_RETRIES MAX_SERVERS MAX_TTL MEMCACHE_SIZE METALINK_RESET_AFTER METALINK_URL
MOUNT_DIR MOUNT_RW
NFILES NFS_INTERLEAVED_INODES NFS_SHARED NFS_SOURCE NOTIFICATION_SERVER
OOM_SCORE_ADJ PAC_URLS PREFETCH_FILEBUNDLES PROXY_RESET_AFTER PROXY_SHARD PROXY_STRICT PROXY_TEMPLATE PUBLIC_KEY
QUOTA_LIMIT RELOAD_SOCKETS REPOSITORIES REPOSITORY_DATE REPOSITORY_NAME REPOSITORY_TAG ROOT_HASH
SEND_INFO_HEADER SERVER_CACHE_MODE SERVER_URL SHARED_CACHE STATFS_CACHE_TIMEOUT STREAMING_CACHE STRICT_MOUNT SUID
SYSLOG_FACILITY SYSLOG_LEVEL SYSLOG_PREFIX SYSTEMD_NOKILL
TALK_OWNER TALK_SOCKET TELEMETRY_RATE TELEMETRY_SEND TIMEOUT TIMEOUT_DIRECT TRACEBUFFER TRACEBUFFER_THRESHOLD TRACEFILE
UID_MAP USER USE_CDN USE_GEOAPI USE_SSL_SYSTEM_CA USYSLOG WORKSPACE WORLD_READABLE
XATTR_PRIVILEGED_GIDS XATTR_PROTECTED_XATTRS
`;

/** Of cache instances and for authorization helpers, with names of the site's own. */
const FAMILIES =
  /^CVMFS_(CACHE_\w+_(TYPE|SIZE|DIR|BASE|CACHE_BASE|SHARED|ALIEN|QUOTA_LIMIT|UPPER|LOWER|LOWER_READONLY|LOCATOR|CMDLINE|MALLOC)|AUTHZ_\w+|INFLUX_\w+)$/;

/** In ascending order. */
export const KNOWN_NAMES: readonly string[] = NAMES.trim()
  .split(/\s+/)
  .map((name) => `CVMFS_${name}`);

export function isKnownName(name: string): boolean {
  return KNOWN_NAMES.includes(name) || FAMILIES.test(name);
}

/** The parameter that was probably meant; undefined: none is near. */
export function nearestName(name: string): string | undefined {
  // Of a short name much of it is changed by two letters.
  let limit = name.length > 'CVMFS_'.length + 7 ? 2 : 1;
  let nearest: string | undefined;
  for (const known of KNOWN_NAMES) {
    const distance = editDistance(name.toUpperCase(), known, limit);
    if (distance > limit) continue;
    nearest = known;
    limit = distance - 1;
  }
  return nearest;
}

/** Letters to insert, remove, replace or swap with their neighbour; anything above `limit` when there are more. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let [before, above, row] = [[] as number[], [] as number[], Array.from({ length: right.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= left.length; i++) {
    [before, above, row] = [above, row, [i]];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1];
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[right.length];
}
