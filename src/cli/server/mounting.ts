// The stages of a repository of a job, from its settings to its mount.
import type { MountedRepository, RepositorySettings } from '../../filesystem/mounted-repository.ts';
import type { ServedMount } from '../talk-sockets.ts';
import type { MountPlace } from './handover.ts';

/** A repository that is being mounted, or is mounted. */
export interface Mounting {
  /** Resolves when it is known that there is such a repository. */
  readonly opened: Promise<unknown>;
  readonly mounted: Promise<JobMount>;
}

export interface JobMount extends ServedMount {
  readonly place: MountPlace;
  /** Somebody asked for its end. */
  unmounting: boolean;
}

/** On its way to being mounted. */
export interface Opening {
  readonly settings: RepositorySettings;
  readonly place: MountPlace;
  readonly repository: Promise<MountedRepository>;
}
