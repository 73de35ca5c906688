// A hub: a tree of container images as a repository holds them. The images are of busybox, with its libraries if it has any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { chainId } from '../../src/images/chain-id.ts';

const APPLETS =
  'awk cat chmod cp date dd echo env false find grep head hostname id kill ls md5sum mkdir mount mv ps pwd readlink rm sed seq sh sleep sort stty tail test touch true tty umount uname unshare wc';

export const REGISTRY = 'registry.hub.docker.com';

/** Debian has a static one (busybox-static) and one that is not. */
const BUSYBOX = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path)) ?? '/bin/busybox';

/** The files of a small system. */
export function writeBusyboxTree(directory: string): void {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'var/tmp', 'usr/bin']) {
    mkdirSync(join(directory, name), { recursive: true });
  }
  copyProgram(BUSYBOX, directory, 'bin/busybox');
  for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(directory, 'bin', applet));
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\n');
  writeFileSync(join(directory, 'etc/issue'), 'a busybox image\n');
}

/** Copies a program of this machine, with what it needs to run, to `path` of an image. */
export function copyProgram(program: string, directory: string, path: string): void {
  copyFileSync(program, join(directory, path));
  for (const library of libraries(program)) {
    mkdirSync(join(directory, dirname(library)), { recursive: true });
    copyFileSync(library, join(directory, library));
    chmodSync(join(directory, library), 0o755);
  }
}

/** Paths of a program's libraries and loader; none of a static one. */
function libraries(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...stdout.matchAll(/\/\S+(?= \(0x)/g)].map(([path]) => path);
}

/** What apptainer images say of themselves. */
export function writeSingularityFiles(directory: string): void {
  const place = join(directory, '.singularity.d');
  mkdirSync(join(place, 'env'), { recursive: true });
  const script = (name: string, lines: string) =>
    writeFileSync(join(place, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  script(
    'env/10-docker2singularity.sh',
    `export PATH="/usr/local/bin:/usr/bin:/bin"\nexport TONE="\${TONE:-"a \\"b\\""}"`,
  );
  script('env/90-environment.sh', 'export FROM_IMAGE=yes');
  script('runscript', 'echo the runscript "$@"');
}

interface OciImage {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
}

export class ImageHub {
  /** What is published. */
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    for (const name of ['.flat', '.layers', '.chains', '.metadata']) this.#catalog(name);
  }

  /** A flat image; returns the directory to fill. `reference`: REPOSITORY:TAG. */
  addFlat(reference: string, config?: OciImage): string {
    const digest = this.#addConfiguration(reference, config);
    const place = join('.flat', digest.slice(0, 2), digest);
    this.#catalog(place);
    const link = join(this.directory, REGISTRY, reference);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), join(this.directory, place)), link);
    return join(this.directory, place);
  }

  /** Another name of an image. */
  link(reference: string, target: string): void {
    const link = join(this.directory, REGISTRY, reference);
    symlinkSync(relative(dirname(link), join(this.directory, REGISTRY, target)), link);
  }

  /**
   * An image of layers, lowest first, each written by a function. With `chain`, a function that writes the tree of them all,
   * that is there too.
   */
  addLayered(
    reference: string,
    layers: readonly ((directory: string) => void)[],
    { config, chain }: { config?: OciImage; chain?: (directory: string) => void } = {},
  ): void {
    const configDigest = this.#addConfiguration(reference, config);
    const digests = layers.map((write, i) => {
      const digest = sha256(`layer ${i} of ${reference}`);
      const place = join('.layers', digest.slice(0, 2), digest, 'layerfs');
      this.#catalog(place);
      write(join(this.directory, place));
      return `sha256:${digest}`;
    });
    if (chain) {
      const id = chainId(digests);
      this.#catalog(join('.chains', id.slice(0, 2), id));
      chain(join(this.directory, '.chains', id.slice(0, 2), id));
    }
    const place = join(this.directory, '.metadata', REGISTRY, reference);
    mkdirSync(place, { recursive: true });
    const manifest = {
      SchemaVersion: 2,
      MediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      Config: {
        MediaType: 'application/vnd.docker.container.image.v1+json',
        Size: 1000,
        Digest: `sha256:${configDigest}`,
      },
      Layers: digests.map((Digest) => ({
        MediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
        Size: 1000,
        Digest,
      })),
    };
    writeFileSync(join(place, 'manifest.json'), JSON.stringify(manifest));
  }

  #addConfiguration(reference: string, config?: OciImage): string {
    const text = JSON.stringify({ architecture: 'amd64', os: 'linux', config: config ?? {}, author: reference });
    const digest = sha256(text);
    if (!config) return digest;
    const place = join(this.directory, 'podmanStore/overlay-images', digest);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `=${Buffer.from(`sha256:${digest}`).toString('base64')}`), text);
    return digest;
  }

  /** A directory that is a nested catalog. */
  #catalog(place: string): void {
    mkdirSync(join(this.directory, place), { recursive: true });
    writeFileSync(join(this.directory, place, '.cvmfscatalog'), '');
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
