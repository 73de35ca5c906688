// Who may use a repository that is not for everybody: the root catalog names a requirement, a helper program decides
// about each session of processes (client.md §10.3).
import type { Helper } from '../authz/helper.ts';
import type { Permit } from '../authz/messages.ts';
import { type ProcessSession, sessionOf } from '../authz/sessions.ts';
import type { AuthzSettings } from '../authz/settings.ts';
import type { Credential } from '../download/attempt.ts';
import { type Caller, Errno, Pending } from '../fuse/operations.ts';
import { EACCES } from './errno.ts';

interface Decision {
  readonly granted: boolean;
  /** Milliseconds of performance.now(). */
  readonly expires: number;
}

/** Seconds for which a helper that is of no use is not asked about a session again. */
const NO_ANSWER_TTL = 5;
const MAX_SESSIONS = 10_000;
const SCHEMA = /^[A-Za-z0-9_.-]+$/;

export class Membership {
  readonly #settings: AuthzSettings;
  readonly #report: (line: string) => void;
  /** `<schema>%<membership>`, as in the root catalog. */
  #requirement: string | undefined;
  #helper: Helper | undefined;
  #decisions = new Map<string, Decision>();
  #asking = new Map<string, Promise<void>>();
  #credential: Credential | undefined;

  constructor(settings: AuthzSettings, report: (line: string) => void) {
    this.#settings = settings;
    this.#report = report;
  }

  /** What the servers want to see: that of the last session that was granted. */
  get credential(): Credential | undefined {
    return this.#credential;
  }

  /** There is something to check; `check` does nothing otherwise. */
  get required(): boolean {
    return this.#requirement !== undefined;
  }

  /** To be told of the root catalog's requirement, at each revision. */
  require(requirement: string | undefined): void {
    if (requirement === this.#requirement) return;
    this.#requirement = requirement;
    this.#decisions.clear();
    this.#credential = undefined;
    this.#helper?.close();
    this.#helper = undefined;
  }

  /** Throws Errno(EACCES), or Pending while the helper is asked. */
  check({ uid, pid }: Caller): void {
    const requirement = this.#requirement;
    if (requirement === undefined) return;
    if (uid === 0 && this.#settings.rootIsExempt) return;
    const session = sessionOf(pid);
    // Whom we cannot see we cannot know.
    if (!session) throw new Errno(EACCES);
    const decision = this.#decisions.get(session.key);
    if (decision && performance.now() < decision.expires) {
      if (decision.granted) return;
      throw new Errno(EACCES);
    }
    let asking = this.#asking.get(session.key);
    if (!asking) {
      asking = this.#ask(requirement, session, pid).finally(() => this.#asking.delete(session.key));
      this.#asking.set(session.key, asking);
    }
    throw new Pending(asking);
  }

  close(): void {
    this.#helper?.close();
  }

  async #ask(requirement: string, { key, uid, gid }: ProcessSession, pid: number): Promise<void> {
    const permit = await this.#permit(requirement, { uid, gid, pid }).catch((error: Error): Permit => {
      this.#report(`membership '${requirement}' cannot be checked: ${error.message}`);
      return { granted: false, reason: error.message, ttl: NO_ANSWER_TTL };
    });
    if (requirement !== this.#requirement) return;
    const { granted, ttl, certificate, bearerToken } = permit;
    if (this.#decisions.size >= MAX_SESSIONS) this.#decisions.clear();
    // Long enough for the request that waits for it.
    this.#decisions.set(key, { granted, expires: performance.now() + Math.max(ttl, 1) * 1000 });
    if (granted && (certificate || bearerToken)) {
      this.#credential = { ...(certificate ? { certificate } : {}), ...(bearerToken ? { bearerToken } : {}) };
    }
    if (!granted) this.#report(`process ${pid} may not use the repository: ${permit.reason} ('${requirement}')`);
  }

  async #permit(requirement: string, who: { uid: number; gid: number; pid: number }): Promise<Permit> {
    const percent = requirement.indexOf('%');
    const schema = percent < 0 ? requirement : requirement.slice(0, percent);
    const membership = percent < 0 ? '' : requirement.slice(percent + 1);
    const { helper, searchPath, handshake, environment, patience } = this.#settings;
    if (!helper && !SCHEMA.test(schema)) throw new Error(`'${schema}' is no name of a helper`);
    const program = helper || `${searchPath}/cvmfs_${schema}_helper`;
    const more = patience === undefined ? {} : { patience };
    // Few repositories need it.
    const { Helper } = await import('../authz/helper.ts');
    this.#helper ??= new Helper({ program, handshake, environment, ...more });
    return this.#helper.ask({ ...who, membership });
  }
}
